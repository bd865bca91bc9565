// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useMemo } from 'preact/hooks';
import { encode } from 'uqr';

const border = 4; // modules: what readers need around the code

// Dark on light in both themes: many readers do not read the inverse.
export function Qr({ text, label }: { text: string; label: string }) {
    const { size, shape } = useMemo(() => {
        const { size, data } = encode(text, { ecc: 'M', border });
        return { size, shape: data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('') };
    }, [text]);
    return (
        <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
            <rect class="qr-ground" width={size} height={size} />
            <path class="qr-dark" d={shape} />
        </svg>
    );
}
