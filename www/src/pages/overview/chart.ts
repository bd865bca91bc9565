// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Stacked bars with uPlot. Loaded only when a chart is shown.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { number } from '../../format';
import type { Band } from './Versions';

const height = 260;
const dayMs = 86_400_000;
const leastDays = 14;
const labelRoom = 84; // at the right, for the names of the versions

// Colours are in the style sheet: the computed colour is that of the theme.
function colours(element: HTMLElement, count: number): string[] {
    const probe = element.appendChild(document.createElement('span'));
    const list = Array.from({ length: count }, (_, i) => {
        probe.className = `swatch swatch-${i}`;
        return getComputedStyle(probe).backgroundColor;
    });
    probe.remove();
    return list;
}

// The names beside the last bar, where they have room.
function drawNames(chart: uPlot, bands: Band[], tops: number[][], ink: string): void {
    const { ctx, bbox } = chart, ratio = devicePixelRatio, last = tops[0]!.length - 1;
    let free = Infinity;
    ctx.save();
    ctx.fillStyle = ink;
    ctx.font = `${12 * ratio}px ${getComputedStyle(chart.root).fontFamily}`;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    for (const [i, { label, values }] of bands.entries()) { // from below
        if (!values[last])
            continue;
        const y = chart.valToPos(tops[i]![last]! - values[last]! / 2, 'y', true);
        if (free - y < 13 * ratio)
            continue;
        free = y;
        ctx.fillText(label.length > 12 ? `${label.slice(0, 11)}…` : label, bbox.left + bbox.width + 6 * ratio, y);
    }
    ctx.restore();
}

export function drawVersions(element: HTMLElement, days: number[], bands: Band[]): () => void {
    const style = getComputedStyle(element);
    const ink = style.color, line = style.borderTopColor, ground = style.backgroundColor;
    const fills = colours(element, bands.length);
    const tops: number[][] = [];
    for (const { values } of bands)
        tops.push(values.map((value, i) => value + (tops[tops.length - 1]?.[i] ?? 0)));
    const x = days.map((day) => day / 1000);
    const end = x[x.length - 1] ?? 0, begin = Math.min(x[0] ?? 0, end - (leastDays - 1) * dayMs / 1000);
    const lang = document.documentElement.lang;
    const date = (seconds: number) => new Date(seconds * 1000).toLocaleDateString(lang, { timeZone: 'UTC', day: 'numeric', month: 'short' });
    const axis = { stroke: ink, font: `12px ${style.fontFamily}`, ticks: { stroke: line, width: 1 } };
    const options: uPlot.Options = {
        width: Math.max(240, element.clientWidth), height, padding: [8, labelRoom, 0, 0], legend: { show: false }, cursor: { show: false },
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
        scales: { x: { range: () => [begin - dayMs / 2000, end + dayMs / 2000] }, y: { range: (_, __, max) => [0, Math.max(1, max)] } },
        axes: [
            { ...axis, grid: { show: false }, values: (_, splits) => splits.map(date), incrs: [1, 2, 7, 14, 30, 60, 120].map((n) => n * dayMs / 1000), space: 70, size: 34 },
            { ...axis, grid: { stroke: line, width: 1 }, values: (_, splits) => splits.map((value) => (Number.isInteger(value) ? number(value) : '')), size: 60 },
        ],
        // The highest bar first: the lower ones cover it.
        series: [{}, ...[...bands.keys()].reverse().map((i): uPlot.Series => ({
            fill: fills[i]!, stroke: ground, width: 1, paths: uPlot.paths.bars!({ size: [0.9, 48] }), points: { show: false },
        }))],
        hooks: { draw: [(chart) => drawNames(chart, bands, tops, ink)] },
    };
    const chart = new uPlot(options, [x, ...[...tops].reverse()] as uPlot.AlignedData, element);
    const observer = new ResizeObserver(() => chart.setSize({ width: Math.max(240, element.clientWidth), height }));
    observer.observe(element);
    return () => {
        observer.disconnect();
        chart.destroy();
    };
}
