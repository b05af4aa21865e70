import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {inspect} from 'node:util';
import axios from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import {
	createAdapter,
	createClient,
	fileJar,
	MtlsConfigError,
	withMtls,
} from '../../../src/index.ts';
import {createFixture, exchanges, type Fixture, failureOf} from '../../support/fixture.ts';
import {tempFile} from '../../support/temp-file.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const login = {user: 'alice', password: 'wonderland'};

describe.each(exchanges)('over %s', (_, options) => {
	test.each(['session.cookies', 'session.json'])(
		'a login of one client is the session of the next, by %s',
		async (name) => {
			const server = await fixture.server();
			const jar = tempFile(name);
			const first = fixture.client({...options, jar});
			await first.post(server.url('/login'), login);
			await first.mtls.close();

			const next = fixture.client({...options, jar});
			expect((await next.get(server.url('/accounts'))).data).toMatchObject({user: 'alice'});
			await next.mtls.close();
			expect(server.requests.map(({url}) => url)).toEqual(['/login', '/accounts', '/accounts']);
			expect(readdirSync(dirname(jar))).toEqual([name]);
		},
	);
});

test('a client of another cookie file has no session', async () => {
	const server = await fixture.server();
	const first = fixture.client({jar: tempFile('jar')});
	await first.post(server.url('/login'), login);
	await first.mtls.close();
	const stranger = fixture.client({jar: tempFile('jar')});
	expect(await failureOf(stranger.get(server.url('/accounts')))).toMatchObject({status: 401});
});

test('two clients of one file at the same time end up with the cookies of both', async () => {
	const server = await fixture.server({
		handler({url = ''}, response) {
			response.writeHead(204, {'set-cookie': `${url.slice(1)}=1`}).end();
			return true;
		},
	});
	const jar = tempFile('jar');
	const clients = [fixture.client({jar}), fixture.client({jar})];
	await Promise.all(clients.map((client, index) => client.get(server.url(`/c${index}`))));
	await Promise.all(clients.map((client) => client.mtls.close()));
	const {hostname} = new URL(server.origin);
	expect(fileJar(jar).getCookieStringSync(`https://${hostname}/`).split('; ').sort()).toEqual([
		'c0=1',
		'c1=1',
	]);
});

test('an adapter, an instance that an app has, and one that a client creates take a path too', async () => {
	const server = await fixture.server();
	const {cert, key} = fixture.alice;
	const mtls = {cert, key, ca: fixture.pki.ca};
	const jar = tempFile('jar');
	const first = fixture.client().create({jar});
	await first.post(server.url('/login'), login);
	await first.mtls.close();

	const instances = [
		axios.create({adapter: createAdapter({mtls, jar}), proxy: false}),
		withMtls(axios.create({proxy: false}), {mtls, jar, logger: false}),
	];
	for (const instance of instances) {
		expect((await instance.get(server.url('/accounts'))).data).toMatchObject({user: 'alice'});
	}
});

test('close() saves a fileJar that the app gave, and leaves it usable', async () => {
	const server = await fixture.server();
	const path = tempFile('jar');
	const jar = fileJar(path, {debounceMs: 1_000_000});
	const client = fixture.client({jar});
	await client.post(server.url('/login'), login);
	expect(readdirSync(dirname(path))).toEqual([]);
	await client.mtls.close();
	expect(readFileSync(path, 'latin1')).toMatch(/\tsession\t/);

	const next = fixture.client({jar});
	expect((await next.get(server.url('/accounts'))).data).toMatchObject({user: 'alice'});
});

test('close() saves a fileJar that is a default of the instance', async () => {
	const server = await fixture.server();
	const path = tempFile('jar');
	const jar = fileJar(path, {debounceMs: 1_000_000});
	const {cert, key} = fixture.alice;
	const client = withMtls(axios.create({jar, proxy: false}), {
		mtls: {cert, key, ca: fixture.pki.ca},
		logger: false,
	});
	await client.post(server.url('/login'), login);
	expect(readdirSync(dirname(path))).toEqual([]);
	await client.mtls.close();
	expect(readFileSync(path, 'latin1')).toMatch(/\tsession\t/);
});

test('a cookie that cannot be saved fails neither the request nor close(), and is logged', async () => {
	const server = await fixture.server();
	const path = tempFile('jar');
	const told: unknown[] = [];
	const tell = (...args: unknown[]) => told.push(args);
	const client = fixture.client({jar: path, logger: {error: tell, warn: tell}});
	await client.post(server.url('/login'), login);
	const damage = 'not\ta\tcookie\tfile\n';
	writeFileSync(path, damage);
	await client.mtls.close();

	expect(told).toEqual([
		[
			{event: 'cookie_file_not_saved', code: 'ERR_MTLS_JAR_DAMAGED', path},
			`cannot save cookies to '${path}': it is damaged (line 1: expected 7 fields between tabs, found 4) and was left as it is`,
		],
	]);
	expect(readFileSync(path, 'utf8')).toBe(damage);
});

test('a damaged file is refused when the client is made, without a word of its content', () => {
	const jar = tempFile('jar');
	writeFileSync(jar, 'a.test\tFALSE\t/\tFALSE\t0\tsession\tsecret\t\n', {mode: 0o600});
	for (const make of [
		() => createClient({jar, logger: false}),
		() => withMtls(axios.create(), {jar, logger: false}),
		() => createAdapter({jar}),
	]) {
		const error = thrownBy(make);
		expect(error).toBeInstanceOf(MtlsConfigError);
		expect(error).toMatchObject({code: 'ERR_MTLS_JAR_DAMAGED', option: 'jar'});
		expect(JSON.stringify(error) + inspect(error, {depth: 9})).not.toContain('secret');
	}
	expect(readFileSync(jar, 'latin1')).toContain('secret');
});

function thrownBy(act: () => unknown): unknown {
	try {
		return act();
	} catch (error) {
		return error;
	}
}
