import type {SessionOptions} from '../../src/index.ts';
import type {MtlsServer, RequestHandler} from '../../src/testing/index.ts';
import type {Fixture} from './fixture.ts';

/** Pages that only a session may see, until it is ended. */
export interface SessionPages {
	readonly server: MtlsServer;
	/** Logins that succeeded. */
	logins: number;
	/** Requests for `/login`, good or not. */
	tries: number;
	/** How `/login` answers. */
	mode: 'open' | 'refusing' | 'silent';
	/** Resolves once `/login` has been asked for `count` times. */
	tried(count: number): Promise<void>;
	/** Nobody is logged in any more. */
	end(): void;
}

/** `POST /login` sets a cookie; every other path wants it, or answers 401. */
export async function startSessionPages(
	fixture: Fixture,
	handler?: RequestHandler,
): Promise<SessionPages> {
	let valid = 'none';
	let waiting: {count: number; resolve: () => void}[] = [];
	const members = {
		logins: 0,
		tries: 0,
		mode: 'open' as SessionPages['mode'],
		tried: (count: number) =>
			new Promise<void>((resolve) => {
				if (members.tries >= count) resolve();
				else waiting.push({count, resolve});
			}),
		end() {
			valid = 'none';
		},
	};
	const server = await fixture.server({
		handler: async (request, response, recorded) => {
			if ((await handler?.(request, response, recorded)) === true) return true;
			await recorded.ended;
			if (recorded.url !== '/login') {
				if (recorded.headers.cookie?.includes(valid)) {
					response.end(JSON.stringify({login: members.logins, body: recorded.body.toString()}));
				} else response.writeHead(401).end('{"error":"over"}');
				return true;
			}
			members.tries += 1;
			for (const {count, resolve} of waiting) if (members.tries >= count) resolve();
			waiting = waiting.filter(({count}) => members.tries < count);
			if (members.mode === 'refusing') response.writeHead(403).end('SECRET of the login');
			if (members.mode === 'open') {
				members.logins += 1;
				valid = `sid=${members.logins}`;
				response.writeHead(204, {'set-cookie': `${valid}; Path=/; Secure; HttpOnly`}).end();
			}
			return true;
		},
	});
	return Object.assign(members, {server});
}

/** Logs in at {@link SessionPages}. */
export const loginAndGet: SessionOptions = {
	login: (client) => client.post('/login', {password: 'SECRET'}),
};
