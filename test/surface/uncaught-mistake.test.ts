/*
 * An app that is configured wrongly and catches nothing: the last words of its process show the line of
 * the app, as Node prints it.
 */
// Slow: it starts a process for each entry and module format.
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Consumer, makeConsumer} from './consumer.ts';

/** Each public entry that takes options, called with a mistake, on one line. */
const mistakes: readonly (readonly [entry: string, from: string, line: string])[] = [
	['createClient', 'axios-mtls', "const client = createClient({mtls: {ca: 'no-such.crt'}});"],
	[
		'withMtls',
		'axios-mtls',
		"const client = withMtls(axios.create(), {mtls: {ca: 'no-such.crt'}});",
	],
	['createAdapter', 'axios-mtls', "const adapter = createAdapter({mtls: {ca: 'no-such.crt'}});"],
	['MtlsAgent', 'axios-mtls', "const agent = new MtlsAgent({ca: 'no-such.crt'});"],
	['MtlsAgent', 'axios-mtls', 'const agent = new MtlsAgent({}, {maxSockets: -1});'],
	['fileJar', 'axios-mtls', "const jar = fileJar('cookies.txt', {format: 'none'});"],
	[
		'createClient',
		'axios-mtls',
		"const child = createClient().create({mtls: {ca: 'no-such.crt'}});",
	],
	['RedisCookieStore', 'axios-mtls/redis', 'const store = new RedisCookieStore({}, {});'],
];

/** The lines before and after the call are none that a message may show. */
const modules = ([entry, from, line]: (typeof mistakes)[number]) =>
	`import axios from 'axios';\nimport {${entry}} from '${from}';\n\n${line}\nconsole.log(axios.VERSION);\n`;
const commonjs = ([entry, from, line]: (typeof mistakes)[number]) =>
	`const axios = require('axios');\nconst {${entry}} = require('${from}');\n\n${line}\nconsole.log(axios.VERSION);\n`;

/** Where the frames begin, and the first of them. */
function firstFrame(stderr: string): string {
	return /^MtlsConfigError: .*\n(.*)$/m.exec(stderr)?.[1]?.trim() ?? '';
}

let app: Consumer;
beforeAll(() => {
	app = makeConsumer();
});
afterAll(() => app?.[Symbol.dispose]());

describe.each(mistakes.map((mistake, index) => [`${mistake[0]} (${index})`, mistake] as const))(
	'%s',
	(_, mistake) => {
		const line = mistake[2];

		test('an uncaught mistake in a module is printed with the line of the app', async () => {
			app.write('app.mjs', modules(mistake));
			const {code, stderr} = await app.node('app.mjs');
			expect(code).toBe(1);
			expect(stderr).toMatch(/^file:\/\/\S*\/app\.mjs:4\n/);
			expect(stderr.split('\n')[1]).toBe(line);
			expect(firstFrame(stderr)).toMatch(/\/app\.mjs:4:\d+\)?$/);
			expect(stderr).not.toContain('axios-mtls/dist');
		});

		test('an uncaught mistake in CommonJS is printed with the line of the app and no other', async () => {
			app.write('app.cjs', commonjs(mistake));
			const {code, stderr} = await app.node('app.cjs');
			expect(code).toBe(1);
			expect(stderr).toMatch(/^(Error|MtlsConfigError): /);
			expect(firstFrame(stderr)).toMatch(/\/app\.cjs:4:\d+\)?$/);
			expect(stderr).not.toMatch(/axios-mtls\/dist|\/dist\/cjs\//);
		});

		test('an uncaught mistake in TypeScript is printed with the line of the app', async () => {
			app.write('app.mts', modules(mistake));
			const {code, stderr} = await app.node('app.mts');
			expect(code).toBe(1);
			expect(stderr).toContain(`/app.mts:4\n${line}\n`);
			expect(firstFrame(stderr)).toMatch(/\/app\.mts:4:\d+\)?$/);
		});
	},
);
