import {createClient} from 'redis';
import {onTestFinished, type TestContext} from 'vitest';
import {type RedisRelay, startRedisRelay} from '../redis-relay.ts';
import {makeDir, needs, type Program, startProgram} from './programs.ts';

/** A Redis or Valkey server behind a relay, where clients find it again after a restart. */
export interface RedisServer {
	readonly relay: RedisRelay;
	/** Ends it, with what it knows on disk. */
	stop(): Promise<void>;
	/** Starts it again, with what it knew. */
	start(): Promise<void>;
}

/** A server that knows nothing yet; ends with the test. */
export async function startRedis(
	ctx: TestContext,
	/** Options that come last. */
	...extra: readonly string[]
): Promise<RedisServer> {
	const path = needs(ctx, 'redis-server', 'valkey-server');
	const dir = makeDir({});
	const run = () =>
		startProgram(path, (port) => [
			...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir],
			// Nothing of a running server is saved; one that is stopped saves all.
			...['--appendonly', 'no', '--save', '86400 1000000'],
			...extra,
		]);
	let program: Program = await run();
	const relay = await startRedisRelay(program.port);
	return {
		relay,
		async stop() {
			await relay.lead(undefined);
			await program.stop();
		},
		async start() {
			program = await run();
			await relay.lead(program.port);
		},
	};
}

/** A client of node-redis as an app makes it; ends with the test. */
export async function connectRedis({relay}: RedisServer) {
	const client = createClient({
		// Comes back without the pause that grows with each attempt.
		socket: {host: '127.0.0.1', port: relay.port, reconnectStrategy: 20},
	});
	// node-redis insists on a listener.
	client.on('error', () => {});
	// With redis 4, which has no destroy().
	const {disconnect}: {disconnect?: () => Promise<void>} = client;
	onTestFinished(() => (client.destroy ?? disconnect).call(client));
	return client.connect();
}
