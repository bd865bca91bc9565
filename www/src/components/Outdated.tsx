// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { problemText, type Problem } from '../api';

// For a page with data that could not be fetched again: why. Without an answer, the line at the top of the page says so.
export function Outdated({ error }: { error: Problem | null }) {
    return error && error.status > 0 ? <p class="error" role="alert">{problemText(error)}</p> : null;
}
