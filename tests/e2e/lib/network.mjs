// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A slow and lossy link between the server and a module: two network namespaces of the test's own and a veth pair.

import { execFileSync, spawn } from 'node:child_process';

import { enterNamespace } from './namespace.mjs';

// Why there can be no such link, or false. Importing this puts the whole test file in a network namespace (namespace.mjs).
export const noNetwork = enterNamespace('NETWORK', '--net') ? false : 'no network namespace: unshare --net needs root';

const sh = (text) => execFileSync('sh', ['-ec', text], { encoding: 'utf8' });

// Until the test `t` ends: {server, wrapper}: the server's address, and what to put before a command to run it at the
// module's end. Of the server's packets `loss_percent` in a hundred are lost.
export async function slowLink(t, { rate = '2mbit', loss_percent = 5 } = {}) {
    sh('ip link set lo up');
    const holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] }); // keeps the module's namespace
    t.after(() => holder.kill());
    holder.stdin.write('here\n');
    await new Promise((next) => holder.stdout.once('data', next));
    const at = `nsenter -t ${holder.pid} -n`;
    sh(`ip link add veth0 type veth peer name veth1
        ip link set veth1 netns ${holder.pid}
        ip addr add 192.0.2.1/24 dev veth0
        ip link set veth0 up
        ${at} ip link set lo up
        ${at} ip addr add 192.0.2.2/24 dev veth1
        ${at} ip link set veth1 up
        tc qdisc add dev veth0 root tbf rate ${rate} burst 16kb latency 400ms
        nft add table inet dfota
        nft add chain inet dfota out '{ type filter hook output priority 0; }'
        nft add rule inet dfota out oifname veth0 numgen random mod 100 \\< ${loss_percent} drop`);
    return { server: '192.0.2.1', wrapper: at.split(' ') };
}
