// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A path as a line of versions. Hops are above the line; below it, dashed, what was ruled out between the same versions.

import { bytes } from '../../format';
import { useT } from '../../i18n';
import { useReasons } from '../../reason';
import type { PathInfo } from './types';

const step = 150; // between two versions
const margin = 70;
const line = 64; // y of the versions
const radius = 7;
const levelHeight = 26;
const mostOut = 4;

export function Drawing({ found }: { found: PathInfo }) {
    const t = useT();
    const reasonText = useReasons();
    const { from, to, hops, excluded } = found;
    const stops = hops.length > 0 ? [from, ...hops.map((hop) => hop.to)] : [from, to];
    const x = (version: string) => margin + stops.indexOf(version) * step;
    const out = excluded.filter((pair) => stops.includes(pair.from) && stops.includes(pair.to)).slice(0, mostOut);
    const width = margin * 2 + (stops.length - 1) * step;
    const depth = out.length * levelHeight;
    const height = line + 44 + depth + (out.length ? 12 : 0);
    const label = hops.map((hop) => `${hop.from} → ${hop.to}${hop.size ? ` ${bytes(hop.size)}` : ''}`).join(', ') || t(`firmware.path-${found.state === 'none' ? 'none' : 'waiting'}`);
    return (
        <div class="drawing" role="region" aria-label={t('firmware.drawing')} tabIndex={0}>
            <svg role="img" aria-label={label} width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
                <defs>
                    <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">
                        <path d="M0 0 8 4 0 8z" />
                    </marker>
                </defs>
                {hops.map((hop) => {
                    const [a, b] = [x(hop.from), x(hop.to)];
                    return (
                        <g key={hop.to} class={`hop ${hop.state}`}>
                            <path d={`M${a + radius + 2} ${line}L${b - radius - 4} ${line}`} marker-end="url(#arrow)" />
                            <text x={(a + b) / 2} y={line - 14}>{hop.size ? bytes(hop.size) : t(`firmware.state-${hop.state}`)}</text>
                        </g>
                    );
                })}
                {out.map((pair, i) => {
                    const [a, b] = [x(pair.from), x(pair.to)];
                    const y = line + 34 + (i + 1) * levelHeight;
                    return (
                        <g key={`${pair.from} ${pair.to}`} class="out">
                            <path d={`M${a} ${line + radius + 24}V${y - 8}q0 8 8 8H${b - 8}q8 0 8-8V${line + radius + 24}`} />
                            <text x={(a + b) / 2} y={y - 5}>×</text>
                            <title>{`${pair.from} → ${pair.to}: ${reasonText(pair)}`}</title>
                        </g>
                    );
                })}
                {stops.map((version) => (
                    <g key={version} class="stop">
                        <circle cx={x(version)} cy={line} r={radius} />
                        <text x={x(version)} y={line + 25}>{version}</text>
                    </g>
                ))}
            </svg>
        </div>
    );
}
