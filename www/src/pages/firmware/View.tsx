// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useRef } from 'preact/hooks';

import '../../styles/firmware.css';
import { useQuery } from '../../router';
import { List } from './List';
import { One } from './One';

export function View() {
    const hasList = useRef(false);
    const [product] = useQuery('product');
    const [firmware] = useQuery('firmware');
    if (product && firmware)
        return <div class="firmware-page"><One key={`${product}/${firmware}`} product={product} firmware={firmware} hasList={hasList.current} /></div>;
    hasList.current = true;
    return <div class="firmware-page"><List /></div>;
}
