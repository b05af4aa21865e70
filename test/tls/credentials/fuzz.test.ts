/*
 * Credentials that were mutated, with LONG a hundred thousand: each is an identity, or an error of ours.
 */
import fc from 'fast-check';
import {expect, test, vi} from 'vitest';
import {MtlsConfigError, type MtlsOptions} from '../../../src/index.ts';
import {createTestPki} from '../../../src/testing/index.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {loadCa} from '../../../src/tls/trust/ca.ts';
import {loadCrl} from '../../../src/tls/trust/crl.ts';
import {type CredentialForm, makeCorpus, mtlsOf} from '../../support/credential-forms.ts';
import {iterations} from '../../support/iterations.ts';
import {makeCrl} from '../../support/make-crl.ts';
import {type Edit, edits, mutate} from '../../support/mutate.ts';
import {writePfx} from '../../support/pfx-writer.ts';

const seed = 20_260_301;
const now = new Date();
const {forms} = await makeCorpus();
const pki = await createTestPki();
const [ec, rsa, ed25519] = await Promise.all([
	pki.client(),
	pki.client({keyType: 'rsa'}),
	pki.client({keyType: 'ed25519'}),
]);
const crl = Buffer.from(await makeCrl(pki));

interface Bent {
	readonly index: number;
	readonly edits: readonly Edit[];
	readonly more: readonly Edit[];
	readonly choice: number;
}

const bent: fc.Arbitrary<Bent> = fc.record({
	index: fc.noBias(fc.nat(0xffff)),
	edits,
	more: edits,
	choice: fc.noBias(fc.nat(0xffff)),
});

function pick<T>(list: readonly T[], index: number): T {
	const one = list[index % list.length];
	if (one === undefined) throw new Error('an empty list');
	return one;
}

/** How often each thing came of it. */
class Tally {
	readonly counts = new Map<string, number>();

	/** Anything but a value or an error of ours goes on, and fails the test. */
	attempt(load: () => unknown): void {
		let outcome = 'loaded';
		try {
			load();
		} catch (error) {
			if (!(error instanceof MtlsConfigError)) throw error;
			const {code, option, message} = error;
			// `expect` would take longer than what is tested.
			if (!/^mtls\.(cert|key|pfx|passphrase|ca|crl)$/.test(option)) throw error;
			if (/error:[\dA-F]{8}|asn1|routines|forge/i.test(message)) throw error;
			outcome = code;
		}
		this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
	}
}

function outcomesOf(runs: number, load: (bent: Bent, tally: Tally) => void): Map<string, number> {
	const tally = new Tally();
	fc.assert(
		fc.property(bent, (input) => load(input, tally)),
		{seed, numRuns: runs},
	);
	return tally.counts;
}

const loading = (mtls: MtlsOptions) => () => loadCredentials(mtls, now);
vi.setConfig({testTimeout: 120_000});

const passphraseOf = ({passphrase}: CredentialForm, choice: number): MtlsOptions => {
	if (choice % 8 === 0) return {passphrase: 'wrong'};
	return choice % 8 === 1 || passphrase === undefined ? {} : {passphrase};
};

test.each([
	['PEM', iterations({usual: 1_500, long: 15_000})],
	['DER', iterations({usual: 1_000, long: 10_000})],
	['P12', iterations({usual: 1_500, long: 15_000})],
] as const)('mutated files of %s load, or are refused with an MtlsConfigError', (type, runs) => {
	const candidates = forms.filter(({cert}) => cert.type === type);
	const outcomes = outcomesOf(runs, ({index, edits, more, choice}, tally) => {
		const {cert, key, ...form} = pick(candidates, index);
		const donor = pick(candidates, index + choice).cert.bytes;
		const target = key === undefined ? 0 : choice % 3;
		const mtls = mtlsOf({
			...form,
			cert: target === 1 ? cert : {...cert, bytes: mutate(cert.bytes, edits, donor)},
			...(key && {key: target === 0 ? key : {...key, bytes: mutate(key.bytes, more, donor)}}),
		});
		tally.attempt(loading({...mtls, ...passphraseOf({cert, ...form}, choice)}));
	});
	expect([...outcomes.keys()]).toEqual(
		expect.arrayContaining(['loaded', type === 'P12' ? 'ERR_MTLS_NOT_PKCS12' : 'ERR_MTLS_NOT_PEM']),
	);
});

const armour = (label: string, bytes: Buffer) =>
	`-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`;
const derOf = (pem: string) => Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ''), 'base64');

const plain = [ec, rsa, ed25519].map(({leaf, key}) => [derOf(leaf), derOf(key)] as const);

test('a mutated certificate or key in sound PEM loads, or is refused with an MtlsConfigError', () => {
	const ca = derOf(pki.ca);
	const outcomes = outcomesOf(
		iterations({usual: 3_000, long: 30_000}),
		({index, edits, more, choice}, tally) => {
			const [cert, key] = pick(plain, index);
			const target = choice % 3;
			const bentCert = target === 1 ? cert : mutate(cert, edits, key);
			const bentKey = target === 0 ? key : mutate(key, more, cert);
			const issuer = choice % 2 === 0 ? ca : mutate(ca, more, cert);
			tally.attempt(
				loading({
					cert: armour('CERTIFICATE', bentCert) + armour('CERTIFICATE', issuer),
					key: armour('PRIVATE KEY', bentKey),
					allowExpired: choice % 5 === 0,
				}),
			);
		},
	);
	expect([...outcomes.keys()].sort()).toEqual(
		expect.arrayContaining([
			'ERR_MTLS_KEY_MISMATCH',
			'ERR_MTLS_NOT_PEM',
			'ERR_MTLS_NO_CERTIFICATE',
			'loaded',
		]),
	);
});

test('mutated content of a PKCS#12 whose MAC is right loads, or is refused with an MtlsConfigError', () => {
	// The old ones seldom: it takes longer to write them, in JavaScript, than to read them.
	const aes = ['none', 'aes-256', 'none', 'aes-256'] as const;
	const protections = [...aes, ...aes, 'pbe-3des', 'pbe-rc2-40'] as const;
	const macs = ['none', 'pbmac1', 'none', 'pbmac1', 'sha256'] as const;
	const outcomes = outcomesOf(
		iterations({usual: 2_000, long: 20_000}),
		({index, edits, more, choice}, tally) => {
			const [cert, key] = pick(plain, index);
			const how = pick(protections, choice);
			const pfx = writePfx({
				keys: [choice % 5 === 0 ? mutate(key, more, cert) : key],
				certificates: [choice % 3 === 0 ? mutate(cert, more, cert) : cert],
				...(choice % 7 < 5 && {spoil: (plain: Buffer) => mutate(plain, edits, cert)}),
				passphrase: 'x',
				iterations: 1,
				key: how,
				cert: how,
				mac: pick(macs, more.length + index),
			});
			tally.attempt(loading({pfx, passphrase: 'x'}));
		},
	);
	expect([...outcomes.keys()]).toEqual(
		expect.arrayContaining([
			'ERR_MTLS_KEY_MISMATCH',
			'ERR_MTLS_NOT_PKCS12',
			'ERR_MTLS_NO_CERTIFICATE',
			'ERR_MTLS_UNSUPPORTED_KEY',
			'loaded',
		]),
	);
});

test('a mutated CA or revocation list loads, or is refused with an MtlsConfigError', () => {
	const ca = Buffer.from(pki.ca);
	const outcomes = outcomesOf(iterations({usual: 1_000, long: 5_000}), ({edits, choice}, tally) => {
		const bytes = (sound: Buffer) => (choice % 2 === 0 ? sound : derOf(sound.toString()));
		tally.attempt(() => loadCa([mutate(bytes(ca), edits, crl)]));
		tally.attempt(() => loadCrl([mutate(bytes(crl), edits, ca)]));
	});
	expect([...outcomes.keys()]).toEqual(
		expect.arrayContaining([
			'ERR_MTLS_NOT_PEM',
			'ERR_MTLS_NO_CERTIFICATE',
			'ERR_MTLS_NO_CRL',
			'loaded',
		]),
	);
});
