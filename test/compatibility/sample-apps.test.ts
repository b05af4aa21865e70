/*
 * The apps of examples/, each with the packed package and with what it needs from the registry: so this runs
 * in CI alone; with `CI=true` it runs anywhere. Each app tests itself against a server of
 * `axios-mtls/testing`; here it is run as its README says.
 */
// Slow: it installs the sample apps, and runs each.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {prove, versionFor} from './prove.ts';
import type {RowId} from './rows.ts';
import {openSampleApp, sampleApps} from './shared-apps.ts';

/** What a sample app shows: the row of docs/compatibility.md, and the package of its version. */
const shows: Readonly<Record<string, readonly [row: RowId, name: string]>> = {
	'jest-commonjs': ['jest-commonjs', 'jest'],
	'lambda-bundle': ['lambda', 'esbuild'],
	nest: ['nest', '@nestjs/core'],
	opentelemetry: ['opentelemetry', '@opentelemetry/sdk-node'],
	'p12-behind-a-proxy': ['p12', 'axios'],
	soap: ['soap', 'soap'],
	'typescript-node10': ['ts-node10', 'typescript'],
};

test('each kind of app that often takes the package has a sample', () => {
	expect(sampleApps).toEqual(expect.arrayContaining(Object.keys(shows)));
});

const title =
	'the sample apps, which need the registry: `npm run build`, then run them with CI=true';

describe.skipIf(!process.env.CI)(title, {concurrent: true, timeout: 180_000}, () => {
	beforeAll(async () => {
		await openSampleApp('nest');
	}, 300_000);

	test.each(sampleApps)('the sample app %s does what its README says', async (name) => {
		const app = await openSampleApp(name);
		const {scripts} = JSON.parse(readFileSync(join(app.dir, 'package.json'), 'utf8'));

		// As npm does, in a second less.
		const run = ['--run', 'test' in scripts ? 'test' : 'start'];
		const {code, stdout, stderr} = await app.run(process.execPath, run);

		expect(code, `${stdout}\n${stderr}`).toBe(0);
		const [row, of] = shows[name] ?? [];
		if (row !== undefined && of !== undefined) prove(row, versionFor(app.dir, of));
	});
});
