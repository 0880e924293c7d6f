import * as echarts from 'echarts';
import type { Line } from './figures.ts';

interface Chart {
  title: string;
  subtitle: string;
  x: string;
  y: string;
  scale: 'value' | 'log';
  lines: Line[];
}

/** Draws lines over numbers as an SVG picture, readable on light and on dark pages. */
export function drawChart({ title, subtitle, x, y, scale, lines }: Chart): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 760, height: 400 });
  const axis = { nameLocation: 'middle', min: scale === 'log' ? 'dataMin' : 0 } as const;
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: title, subtext: subtitle, left: 'center' },
    legend: { bottom: 0 },
    grid: { left: 70, right: 40, top: 70, bottom: 80 },
    xAxis: { ...axis, type: scale, name: x, nameGap: 30 },
    yAxis: { type: 'value', name: y, nameLocation: 'middle', nameGap: 45, min: 0 },
    series: lines.map(({ name, points }) => ({
      type: 'line',
      name,
      symbolSize: 7,
      data: points.map((point) => [point.x, point.y]),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
