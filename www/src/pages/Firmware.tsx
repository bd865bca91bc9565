// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { lazy } from '../components/Lazy';

// The list of all firmwares, or with ?product=&firmware= one of them.
export const Firmware = lazy(async () => (await import('./firmware/View')).View);
