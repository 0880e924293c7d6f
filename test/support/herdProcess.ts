import { WebSocket } from 'ws';
import { type HerdReport, herdOrder } from './herdMessages.ts';

/** How often the report is sent, in milliseconds. */
const REPORT_INTERVAL = 50;
/** How long to wait after a connection could not be made, in milliseconds. */
const RETRY_DELAY = 100;
/** Handshakes under way at first: the herd is to gather in peace. */
const GATHERING = 100;

const report: HerdReport = { open: 0, opened: 0, received: 0 };

/** Connects to one server after the other for ever; resolves when it is connected for the first time. */
function stay(urls: string[], token: string): Promise<void> {
  return new Promise((resolve) => {
    let next = urls.length - 1;
    const connect = () => {
      const url = urls[next++ % urls.length] ?? '';
      const headers = { authorization: `Bearer ${token}` };
      const socket = new WebSocket(`${url.replace('http', 'ws')}/api/ws`, { headers, perMessageDeflate: false });
      let wasOpen = false;
      socket.on('error', () => {});
      socket.on('open', () => {
        wasOpen = true;
        report.open++;
        report.opened++;
        resolve();
      });
      socket.on('message', () => {
        report.received++;
      });
      socket.on('close', () => {
        if (wasOpen) report.open--;
        setTimeout(connect, wasOpen ? 0 : RETRY_DELAY);
      });
    };
    connect();
  });
}

process.once('message', async (message) => {
  const { urls, tokens, connectionsPerToken } = herdOrder.parse(message);
  const waiting = tokens.flatMap((token) => Array.from({ length: connectionsPerToken }, () => token));
  setInterval(() => process.send?.(report), REPORT_INTERVAL);
  const gather = async () => {
    for (let token = waiting.pop(); token; token = waiting.pop()) await stay(urls, token);
  };
  await Promise.all(Array.from({ length: GATHERING }, gather));
});
process.on('disconnect', () => process.exit());
