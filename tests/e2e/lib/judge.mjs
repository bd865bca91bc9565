// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Checks every answer of the device listener against the rules that protect modules in the field.
//
// deviceViolations() finds all faults of one answer; assertDeviceAnswer() throws with the list of them.

import assert from 'node:assert/strict';

import { describeAnswer } from './wire.mjs';

// The dialect's codes and their messages, as the vendor's platform sends them.
export const messages = new Map([
    [3, '无效的设备'],
    [17, '无权限'],
    [21, '不允许升级'],
    [25, '无效的项目'],
    [26, '无效的固件'],
    [27, '已是最新版本'],
    [40, '循环升级'],
    [43, '请等待'],
    [44, '基础版本缺失'],
]);

export const head_limit_bytes = 700;
export const refusal_limit_bytes = 200;

// The refusal of a resume, whatever the reason: older clients append its body to the firmware that they have.
export const bareRefusal = 'HTTP/1.1 416 Range Not Satisfiable\r\nConnection: close\r\n\r\n';

// A request with a Range that does not clearly begin at byte 0.
export function isResume(sent) {
    const [head] = sent.toString('latin1').split(/\r?\n\r?\n/);
    return head.split('\n').slice(1).some((line) => /^range[ \t]*:/i.test(line) &&
        !/^range[ \t]*:[ \t]*bytes[ \t]*=[ \t]*0+[- \t]/i.test(line));
}

// `kind` is 'module', or 'report' for the reports of an MCU host, where a 200 has JSON.
// `mayReset` allows the connection to end in a reset after a complete answer: only for a request that is cut off
// because it is too long; the server does not read the rest.
export function deviceViolations(answer, { kind = 'module', mayReset = false } = {}) {
    const faults = [];
    const fault = (rule, text) => faults.push(`${rule}: ${text}`);

    if (answer.raw.length === 0) {
        fault('answer', 'not one byte came');
        return faults;
    }
    if (isResume(answer.sent) && !(answer.status >= 200 && answer.status < 300)) {
        if (answer.raw.toString('latin1') !== bareRefusal)
            fault('rule 1', 'a resume is refused with more than the bare head');
        checkClose(answer, mayReset, fault);
        return faults;
    }
    checkHead(answer, fault);
    checkLength(answer, fault);
    checkClose(answer, mayReset, fault);
    checkRange(answer, fault);
    if (answer.status === 200 || answer.status === 206)
        checkDelivery(answer, kind, fault);
    else
        checkRefusal(answer, fault);
    return faults;
}

export function assertDeviceAnswer(answer, options) {
    const faults = deviceViolations(answer, options);
    assert.equal(faults.length, 0, `${faults.join('\n')}\n${describeAnswer(answer)}`);
    return answer;
}

// Rules 3, 5 and 7: the shape of the head.
function checkHead(answer, fault) {
    if (!answer.headComplete)
        fault('rule 7', 'the head never ends');
    if (!answer.chunks[0].bytes.includes('\r\n\r\n'))
        fault('rule 7', 'the head did not come in one segment');
    if (answer.head.length > head_limit_bytes)
        fault('rule 7', `the head has ${answer.head.length} bytes, more than ${head_limit_bytes}`);
    if (answer.version !== 'HTTP/1.1' || !answer.reason || !/^[ -~]+$/.test(answer.reason) || / $|^ /.test(answer.reason))
        fault('rule 7', `the status line is ${JSON.stringify(answer.first)}`);
    if (answer.headers.length === 0 || answer.headers[0].line === '')
        fault('rule 3', 'no header at all');
    for (const { line } of answer.headers) {
        if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [!-~](?:[ -~]*[!-~])?$/.test(line))
            fault('rule 7', `not a \`Key: value\`: ${JSON.stringify(line)}`);
    }
    if (/(?<!\r)\n|\r(?!\n)/.test(answer.head.toString('latin1')))
        fault('rule 7', 'a bare CR or LF in the head');
    if ((answer.status >= 301 && answer.status <= 308 && answer.status !== 304) || answer.header('location') !== null)
        fault('rule 5', `a redirect: ${answer.status} ${answer.header('location') ?? ''}`);
}

function count(answer, name) {
    return answer.headers.filter((h) => h.name.toLowerCase() === name).length;
}

// Rule 1: an exact Content-Length and no other framing.
function checkLength(answer, fault) {
    if (answer.header('transfer-encoding') !== null)
        fault('rule 1', 'a Transfer-Encoding');
    if (count(answer, 'content-length') !== 1) {
        fault('rule 1', `${count(answer, 'content-length')} headers of length`);
        return;
    }
    const { line } = answer.headers.find((h) => h.name.toLowerCase() === 'content-length');
    if (!/^Content-Length: (0|[1-9]\d*)$/.test(line)) {
        fault('rule 1', `not the canonical form: ${JSON.stringify(line)}`);
        return;
    }
    const length = Number(answer.header('content-length'));
    if (answer.method === 'HEAD') {
        if (answer.body.length !== 0)
            fault('rule 1', `an answer to HEAD with ${answer.body.length} bytes of body`);
    } else if (answer.closed !== 'cut' && answer.body.length !== length) {
        fault('rule 1', `Content-Length says ${length}, the body has ${answer.body.length} bytes`);
    } else if (answer.body.length > length) {
        fault('rule 1', `Content-Length says ${length}, already ${answer.body.length} bytes came`);
    }
}

// Rule 2: the answer says close, and the server closes.
function checkClose(answer, mayReset, fault) {
    const lines = answer.headers.filter((h) => h.name.toLowerCase() === 'connection').map((h) => h.line);
    if (lines.length !== 1 || lines[0] !== 'Connection: close')
        fault('rule 2', `the head says ${JSON.stringify(lines)} instead of \`Connection: close\``);
    if (answer.header('keep-alive') !== null)
        fault('rule 2', 'a Keep-Alive header');
    if (answer.closed === 'open')
        fault('rule 2', 'the connection was left open');
    if (answer.closed === 'reset' && !mayReset)
        fault('rule 2', 'the connection was reset, not closed');
}

// Rule 6: the headers of a range answer must match its body.
function checkRange(answer, fault) {
    const name = answer.headers.find((h) => h.name.toLowerCase() === 'content-range')?.name;
    if (name !== undefined && name !== 'Content-Range')
        fault('rule 7', `${name} is not in canonical case`);
    const range = answer.header('content-range');
    if (answer.status === 206) {
        const [, first, last, total] = (/^bytes (\d+)-(\d+)\/(\d+)$/.exec(range ?? '') ?? []).map(Number);
        if (total === undefined)
            fault('rule 6', `206 with Content-Range ${range}`);
        else if (last !== total - 1 || last - first + 1 !== Number(answer.header('content-length')))
            fault('rule 6', `${range} with Content-Length ${answer.header('content-length')}`);
    } else if (answer.status === 416) {
        if (range !== null && !/^bytes \*\/\d+$/.test(range))
            fault('rule 6', `416 with Content-Range ${range}`);
    } else if (range !== null) {
        fault('rule 6', `${answer.status} with Content-Range ${range}`);
    }
}

// Rule 4: a module writes the body of every 200 or 206 to its flash.
function checkDelivery(answer, kind, fault) {
    if (answer.header('content-length') === '0')
        fault('rule 4', 'an empty delivery');
    if (kind === 'report')
        return;
    if (/json|text/i.test(answer.header('content-type') ?? ''))
        fault('rule 4', `a ${answer.status} of type ${answer.header('content-type')}`);
    if (answer.status === 200 && /^\s*[{<[]/.test(answer.body.subarray(0, 20).toString('latin1')))
        fault('rule 4', 'a 200 whose body is text, not firmware');
}

// Section 2: a refusal is small JSON of one shape.
function checkRefusal(answer, fault) {
    if (!(answer.status >= 300))
        fault('rule 4', `status ${answer.status} neither carries firmware nor refuses`);
    if (answer.method === 'HEAD') {
        const length = Number(answer.header('content-length'));
        if (!(length > 0 && length <= refusal_limit_bytes))
            fault('refusal', `HEAD announces a refusal of ${length} bytes`);
        return;
    }
    const text = answer.body.toString('latin1');
    if (answer.body.length > refusal_limit_bytes)
        fault('refusal', `a body of ${answer.body.length} bytes, more than ${refusal_limit_bytes}`);
    if (!/^[ -~]*$/.test(text))
        fault('refusal', 'bytes that are not printable ASCII in the body');
    if (!text.endsWith('}'))
        fault('refusal', 'something after the closing brace');
    if (!/^\{"code": ?(0|[1-9]\d*)[,}]/.test(text))
        fault('refusal', `the body does not start with an integer code: ${text.slice(0, 60)}`);
    if (answer.json === undefined || typeof answer.json !== 'object' || answer.json === null) {
        fault('refusal', `the body is no JSON: ${text.slice(0, 60)}`);
        return;
    }
    if (typeof answer.json.msg !== 'string' || answer.json.msg === '')
        fault('refusal', 'no msg');
    else if (messages.has(answer.code) && answer.json.msg !== messages.get(answer.code))
        fault('refusal', `code ${answer.code} with msg ${answer.json.msg}`);
}
