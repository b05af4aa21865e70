/*
 * What docs/errors.md shows of each kind of failure is what the package prints. `UPDATE=1` writes it.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import type {CertificateFacts, FailureKind} from '../../src/facts.ts';
import {decide} from '../../src/failures/decide.ts';
import type {Evidence} from '../../src/failures/facts.ts';
import {certificateOf, evidenceOf, samples, server} from '../support/evidence.ts';

const path = new URL('../../docs/errors.md', import.meta.url);

const leaf = (more: Partial<CertificateFacts> = {}): Partial<Evidence> => ({
	chain: [{...server, caIssuers: [], validTo: '2027-01-01T00:00:00.000Z', ...more}],
});
const ownMaking = certificateOf('CN=api.bank.example', 'CN=api.bank.example');

/** What makes a sample one that a reader may have met. */
const met: Readonly<Partial<Record<FailureKind, Partial<Evidence>>>> = {
	expired: leaf({validTo: '2025-12-31T23:59:59.000Z'}),
	'not-yet-valid': leaf({validFrom: '2026-01-03T00:00:00.000Z'}),
	'wrong-name': {...leaf({altNames: ['DNS:www.bank.example']})},
	'self-signed': {chain: [ownMaking]},
	'untrusted-issuer': {chain: [server, certificateOf('CN=Bank Root', 'CN=Bank Root')]},
};

function shown(kind: FailureKind): string {
	const server = samples[kind].source === 'proxy' ? {} : leaf();
	const decision = decide(evidenceOf({...server, ...samples[kind], ...met[kind]}));
	if (decision?.kind !== kind) throw new Error(`the sample of ${kind} is ${decision?.kind}`);
	return [
		decision.summary,
		...decision.reasons.map((reason, index) => `  ${index === 0 ? 'cause' : 'or'}: ${reason}`),
		`  what to do: ${decision.hint}`,
	].join('\n');
}

const kinds = Object.keys(samples) as FailureKind[];

function withSamples(text: string): string {
	return kinds.reduce((result, kind) => {
		const block = `\`\`\`text\n${shown(kind)}\n\`\`\`\n\n`;
		const heading = new RegExp(`^(### ${kind}\\n\\n)(\`\`\`text\\n[\\s\\S]*?^\`\`\`\\n\\n)?`, 'm');
		return result.replace(heading, (_, head) => `${head}${block}`);
	}, text);
}

test('docs/errors.md shows what is printed for each kind of failure', () => {
	const text = readFileSync(path, 'utf8');
	if (process.env.UPDATE) writeFileSync(path, withSamples(text));
	for (const kind of kinds) expect(text).toContain(`### ${kind}\n`);
	expect(readFileSync(path, 'utf8')).toBe(withSamples(text));
});

test('docs/errors.md says what each code of an MtlsConfigError means', () => {
	const source = readFileSync(new URL('../../src/config-error.ts', import.meta.url), 'utf8');
	const codes = new Set(source.match(/ERR_MTLS_[A-Z_0-9]+/g));
	expect(codes.size).toBeGreaterThan(15);
	const text = readFileSync(path, 'utf8');
	expect([...codes].filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});
