// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// A slow and lossy network link between the server and a module: two network namespaces and a veth pair.

import { execFileSync, spawn } from 'node:child_process';

import { enterNamespace } from './namespace.mjs';

// The reason why such a link cannot be made, or false. An import of this puts the whole test file in a network namespace (namespace.mjs).
export const noNetwork = enterNamespace('NETWORK', '--net') ? false : 'no network namespace: unshare --net needs root';

const sh = (text) => execFileSync('sh', ['-ec', text], { encoding: 'utf8' });

// Until the test `t` ends. {server, wrapper}: the address of the server, and the words before a command that run it at the
// module's end. `loss_percent` of the server's packets are lost.
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
