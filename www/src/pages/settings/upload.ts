// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// An image to the server, with its progress. fetch() does not tell how much was sent.

import { ApiError, loginRequired, type Problem } from '../../api';

export interface Uploaded { version: string; warnings: string[]; notice?: string | null }

export function putImage(path: string, file: File, onProgress: (share: number) => void): Promise<Uploaded> {
    return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        request.open('PUT', `/api/v1${path}`);
        request.setRequestHeader('X-Dfota-Console', '1');
        request.setRequestHeader('Content-Type', 'application/octet-stream');
        request.responseType = 'json';
        request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
        request.onerror = () => reject(new ApiError({ status: 0, code: 'offline', detail: 'no answer' }));
        request.onload = () => {
            const said = request.response as (Uploaded & Partial<Problem>) | null;
            if (request.status < 300 && said)
                return resolve(said);
            if (request.status === 401)
                loginRequired.set(loginRequired.value + 1);
            reject(new ApiError({ status: request.status, code: said?.code ?? 'unknown', detail: said?.detail ?? `${request.status} ${request.statusText}` }));
        };
        request.send(file);
    });
}
