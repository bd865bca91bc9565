// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

import { ApiError, isOutdated, problemText, send, type Call } from '../../api';
import { toast } from '../../components/Toast';

// One change at a time. A refusal is told; `then` runs after a success, and when another admin was first.
export function useChange(then: () => void, onOutdated?: () => void) {
    const [busy, setBusy] = useState(false);
    const change = async (path: string, call: Call, done?: string): Promise<Response | null> => {
        setBusy(true);
        try {
            const answer = await send(path, call);
            if (done)
                toast(done);
            then();
            return answer;
        } catch (error) {
            toast(error instanceof ApiError ? problemText(error.problem) : String(error), 'error');
            if (isOutdated(error)) {
                onOutdated?.();
                then();
            }
            return null;
        } finally {
            setBusy(false);
        }
    };
    return { busy, change };
}
