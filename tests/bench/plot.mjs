// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Plots as SVG in doc/images, made by gnuplot. The colours are those of Okabe and Ito: colour-blind people can tell them apart.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];
const licence = '<!-- SPDX-FileCopyrightText: The dfota authors\n     SPDX-License-Identifier: Apache-2.0 -->';
const quoted = (text) => `"${text.replaceAll('"', '\\"')}"`;

function write(name, height, commands) {
    const svg = execFileSync('gnuplot', { encoding: 'utf8', input: `
        set terminal svg size 800,${height} font "sans-serif,14" background "white" name "${name.replaceAll('-', '_')}"
        set grid ytics linecolor "#cccccc"
        set border 3
        set tics nomirror
        set key outside top center horizontal samplen 2
        set format y "%'.0f"
        ${commands}` });
    // gnuplot writes its version, blanks at the ends of lines, and no licence.
    writeFileSync(fileURLToPath(new URL(`../../doc/images/${name}.svg`, import.meta.url)),
        svg.replace('?>', `?>\n${licence}`).replace(/Produced by GNUPLOT [^<\n]*/, 'Produced by gnuplot').replace(/[ \t]+$/gm, ''));
}

// Lines, one panel above the other. The x axis is logarithmic, with a label at each point, or linear.
// `lines`: label → [[x, y], …], with all points at the same x.
export function curves(name, { x, linear = false, panels }) {
    const panel = ({ y, lines }, n) => {
        const all = Object.entries(lines);
        const points = all.map(([, line], k) => `$p${n}_${k} << E\n${line.map((point) => point.join(' ')).join('\n')}\nE`);
        const xs = all[0][1].map(([at]) => at);
        return `${points.join('\n')}
        ${linear ? `set xrange [0:${xs.at(-1) * 1.05}]` : `set logscale x
        set xtics (${xs.map((at) => `"${at.toLocaleString('en-US')}" ${at}`).join(', ')})
        set xrange [${xs[0] / 1.3}:${xs.at(-1) * 1.3}]`}
        set yrange [0:*]
        set xlabel ${quoted(x)}
        set ylabel ${quoted(y)}
        plot ${all.map(([label], k) => `$p${n}_${k} using 1:2 with linespoints linewidth 2 pointtype ${[7, 5, 9, 13][k]} pointsize 0.8 linecolor "${
            colours[k]}" title ${quoted(label)}`).join(', ')}`;
    };
    write(name, 300 * panels.length, `set multiplot layout ${panels.length},1\n${panels.map(panel).join('\n')}\nunset multiplot`);
}

// Bars beside each other. `groups`: [label, a number for each of `series`].
export function bars(name, { y, series, groups }) {
    // Long labels are broken at the blank nearest to the middle.
    const broken = (text) => {
        const blank = [...text.matchAll(/ /g)].map(({ index }) => index).sort((a, b) => Math.abs(a - text.length / 2) - Math.abs(b - text.length / 2))[0];
        return blank === undefined ? text : `${text.slice(0, blank)}\\n${text.slice(blank + 1)}`;
    };
    write(name, 360, `$p << E\n${groups.map(([label, ...numbers]) => [quoted(broken(label)), ...numbers].join(' ')).join('\n')}\nE
        set style data histogram
        set style histogram clustered gap 1
        set style fill solid noborder
        set boxwidth 0.9
        set xrange [-0.6:${groups.length - 0.4}]
        set yrange [0:*]
        set bmargin 4
        set xtics scale 0 font ",11"
        set ylabel ${quoted(y)}
        plot ${series.map((label, n) => `$p using ${n + 2}:xtic(1) linecolor "${colours[n]}" title ${quoted(label)}`).join(', ')}`);
}
