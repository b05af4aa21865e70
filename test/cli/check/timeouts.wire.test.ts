/*
 * Where `--timeout` ended a check: each step that can take too long.
 */
// In a process of its own: it replaces modules.
import {expect, test, vi} from 'vitest';
import {classifyError} from '../../../src/cli/check/failure.ts';
import type {CheckReport} from '../../../src/cli/check/report.ts';
import {probe} from '../../../src/cli/check/tcp-probe.ts';
import {run} from '../../../src/cli/run.ts';
import {optionWriter} from '../../../src/cli/shared/option-words.ts';
import {CliTimeoutError} from '../../../src/cli/shared/report-error.ts';
import {startMtlsServer} from '../../../src/testing/index.ts';
import {startConnectProxy} from '../../support/connect-proxy.ts';
import {fakeIo, tempDir} from '../../support/fake-io.ts';
import {startTcp} from '../../support/plain-server.ts';

vi.mock('node:dns/promises', async (original) => {
	const dns = await original<typeof import('node:dns/promises')>();
	const lookup = (name: string, ...rest: [never]) =>
		name === 'slow.test' ? new Promise(() => {}) : dns.lookup(name, ...rest);
	return {...dns, lookup};
});

async function timedOut(...argv: readonly string[]): Promise<CheckReport> {
	const io = fakeIo();
	expect(await run(['check', ...argv, '--json'], io)).toBe(3);
	const report: CheckReport = JSON.parse(io.out());
	expect(report.failure).toMatchObject({kind: 'timeout', side: 'network', certain: true});
	return report;
}

const badSteps = ({steps}: CheckReport) =>
	steps.filter(({state}) => state === 'bad').map(({id}) => id);

test('a lookup that takes too long is the step address', async () => {
	const report = await timedOut('https://slow.test/', '--timeout', '0.2');

	expect(badSteps(report)).toEqual(['address']);
	expect(report.summary).toBe('the name slow.test was not looked up within 0.2 s');
});

test('a TCP connection that takes too long is the step connection', async () => {
	const over = AbortSignal.abort(new DOMException('', 'TimeoutError'));
	const tcp = await probe({host: '127.0.0.1', port: 1}, over);

	expect(tcp).toMatchObject({addresses: ['127.0.0.1'], connectError: 'ETIMEDOUT'});
	const journey = {stage: 'tcp', server: {host: '127.0.0.1', port: 1}, timeout: '5'} as const;
	const {failure, exitCode} = classifyError(new CliTimeoutError(''), journey, optionWriter());
	expect(exitCode).toBe(3);
	expect(failure).toMatchObject({kind: 'timeout', message: 'no TCP connection within 5 s'});
	expect(failure.reasons[0]).toContain('firewall');
});

test('a proxy that opens no tunnel in time is the step tunnel', async () => {
	await using proxy = await startConnectProxy({verdict: 'silence'});

	const report = await timedOut('https://a.test:443/', '--proxy', proxy.url, '--timeout', '0.5');

	expect(badSteps(report)).toEqual(['tunnel']);
	expect(report.summary).toBe(
		'the proxy accepted the connection and opened no tunnel to a.test:443 within 0.5 s',
	);
	expect(proxy.tunnels.length).toBeGreaterThan(0);
});

test('a server that does not answer the handshake is the step protocol', async () => {
	const silent = await startTcp();

	const report = await timedOut(`https://localhost:${silent.port}/`, '--timeout', '0.5');

	expect(badSteps(report)).toEqual(['protocol']);
	expect(report.summary).toContain('did not answer the TLS handshake within 0.5 s');
});

test('a server that sends no response is the step answer', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({clientAuth: 'none', handler: () => true});
	const ca = dir.write('ca.crt', server.ca);

	const report = await timedOut(server.url('/'), '--ca', ca, '--timeout', '3');

	expect(badSteps(report)).toEqual(['answer']);
	expect(report.summary).toContain('made the TLS handshake and sent no response within 3 s');
	expect(server.requests).toHaveLength(1);
});

test('a check that waits shows on a terminal for what, and leaves nothing of it', async () => {
	const silent = await startTcp();
	const io = fakeIo();
	Object.assign(io.stderr, {isTTY: true, columns: 80});
	const erase = '\r\u001b[K';

	const checking = run(['check', `https://localhost:${silent.port}/`], io);
	await vi.waitFor(() => expect(io.err()).toContain(`waiting for localhost:${silent.port} …`), {
		timeout: 30_000,
	});
	expect(io.out()).toBe('');
	for (const socket of silent.sockets) socket.destroy();

	expect(await checking).toBe(3);
	expect(io.err().startsWith(erase)).toBe(true);
	expect(io.err().endsWith(erase)).toBe(true);
	expect(io.out()).toContain('✗ protocol');
});
