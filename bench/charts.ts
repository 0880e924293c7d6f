import { init } from 'echarts';
import type { Line } from './figures.ts';
import { CHARTS } from './report.ts';
import { machineText, type Results } from './results.ts';

const SIZE = { width: 800, height: 440 };
/** Told apart also by those who see colours differently; for print the marks differ too. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];
const MARKS = ['circle', 'diamond', 'triangle', 'rect'];

const AXES = {
  throughput: {
    x: { name: 'messages/s; each point has twice as many in flight as the one before', type: 'value', min: 0 },
    y: { name: 'p99, ms' },
  },
  pages: { x: { name: 'messages stored', type: 'log', min: 'dataMin' }, y: { name: 'p50, ms' } },
} as const;

/** Draws the charts that there are lines for, as SVG texts under their file names. */
export function drawCharts({ lines, machine }: Results): Map<string, string> {
  const drawn = new Map<string, string>();
  for (const { chart, title } of CHARTS) {
    const mine = lines.filter((line) => line.chart === chart);
    if (mine.length > 0) drawn.set(`${chart}.svg`, draw(title, machineText(machine), AXES[chart], mine));
  }
  return drawn;
}

function draw(title: string, subtext: string, { x, y }: (typeof AXES)[keyof typeof AXES], lines: Line[]): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  const axisName = { nameLocation: 'middle', nameTextStyle: { fontSize: 13, color: '#333' }, axisLabel: { color: '#333' } } as const;
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    color: COLOURS,
    title: { text: title, subtext, left: 'center', textStyle: { color: '#222' }, subtextStyle: { color: '#555', fontSize: 11 } },
    legend: { bottom: 8 },
    grid: { left: 70, right: 40, top: 80, bottom: 85 },
    xAxis: { ...axisName, ...x, nameGap: 30 },
    yAxis: { ...axisName, ...y, type: 'value', min: 0, nameGap: 45 },
    series: lines.map(({ name, points }, index) => ({
      name,
      type: 'line',
      symbol: MARKS[index % MARKS.length] ?? 'circle',
      symbolSize: 9,
      lineStyle: { width: 2.5 },
      data: points.map((point) => [point.x, point.y]),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
