import type {KeyObject, X509Certificate} from 'node:crypto';
import {MtlsConfigError} from '../../config-error.ts';
import {describeType, withoutPrototype} from '../../util/check-options.ts';
import {day} from '../../util/day.ts';
import {escapeControls} from '../../util/escape-controls.ts';
import {fitsKey} from './chain.ts';
import {type CertificateFault, findFaults} from './checks.ts';

/** The private keys and certificates of one identity, or of several: in the order of their file. */
export interface Keystore {
	readonly keys: readonly StoredKey[];
	readonly certificates: readonly StoredCertificate[];
}

interface StoredKey {
	readonly key: KeyObject;
	/** Its friendlyName in PKCS#12; `undefined` in PEM. */
	readonly name: string | undefined;
}

interface StoredCertificate {
	readonly certificate: X509Certificate;
	readonly name: string | undefined;
}

/** A private key with a certificate that fits it. */
export interface StoredIdentity {
	readonly key: KeyObject;
	readonly leaf: X509Certificate;
	/** The friendlyNames of certificate and key, which Windows sets apart. */
	readonly names: readonly string[];
	/** Why a server would refuse it. */
	readonly faults: readonly CertificateFault[];
}

/** The options that choose one of several identities. */
export interface IdentityChoice {
	/** A friendlyName, or a SHA-256 fingerprint of a certificate. */
	readonly alias: string | undefined;
	/** The faults that are not in the way. */
	readonly allowed: readonly Permission[];
}

/** Where identities were read, for messages. */
export interface IdentitySource {
	/** Of the keys: `file 'client.p12'`. */
	readonly where: string;
	/** Of the certificates, which may be another file. */
	readonly certFrom: string;
	/** The option of the certificates. */
	readonly option: string;
}

/** The key, and the certificates to send, as OpenSSL takes them: PEM. */
export function exportIdentity(
	key: KeyObject,
	chain: readonly X509Certificate[],
): {readonly key: string; readonly cert: string} {
	return {
		key: key.export(withoutPrototype({type: 'pkcs8', format: 'pem'})).toString(),
		cert: chain.map(String).join(''),
	};
}

/** Every key with every certificate that fits it: in the order of keys, the best certificate first. */
export function findIdentities({keys, certificates}: Keystore, now: Date): StoredIdentity[] {
	return keys
		.filter(({key}, at) => keys.findIndex((other) => other.key.equals(key)) === at)
		.flatMap(({key, name}) =>
			certificates
				.filter(({certificate}) => fitsKey(certificate, key))
				.map((stored) => ({
					key,
					leaf: stored.certificate,
					names: [...new Set([stored.name, name])].filter((each) => each !== undefined),
					faults: findFaults(stored.certificate, now),
				}))
				.sort(byPreference),
		);
}

/**
 * Of several certificates for one key (a renewed one beside the old, a self-signed one beside that of the
 * CA): one without faults, then one that is not self-signed, then the one that ends last.
 */
function byPreference(a: StoredIdentity, b: StoredIdentity): number {
	const isSelfIssued = ({leaf}: StoredIdentity) => (leaf.subject === leaf.issuer ? 1 : 0);
	return (
		a.faults.length - b.faults.length ||
		isSelfIssued(a) - isSelfIssued(b) ||
		b.leaf.validToDate.getTime() - a.leaf.validToDate.getTime()
	);
}

/** The best certificate of each key. */
export function onePerKey(identities: readonly StoredIdentity[]): StoredIdentity[] {
	return identities.filter(
		({key}, at) => identities.findIndex((other) => other.key === key) === at,
	);
}

/**
 * Chooses the identity that `alias` names, or else the only one that can be used.
 *
 * @param identities - Those of {@link findIdentities}, at least one.
 * @param source - Where they were read, for messages.
 * @throws {MtlsConfigError} for `mtls.alias`, when there is none or more than one, and for the option of
 * the source when a server would refuse them all.
 */
export function chooseIdentity(
	identities: readonly StoredIdentity[],
	{alias, allowed}: IdentityChoice,
	source: IdentitySource,
): StoredIdentity {
	const {where} = source;
	// That of an identity loader was not checked before.
	if (alias !== undefined && typeof alias !== 'string') {
		throw badAlias(`expected a string that is not empty, found ${describeType(alias)}`);
	}
	const named = alias === undefined ? identities : findNamed(identities, alias);
	const candidates = onePerKey(named);
	if (candidates.length === 0) {
		const all = describeAll(onePerKey(identities));
		throw badAlias(`no identity in ${where} has this alias or fingerprint; it holds ${all}`);
	}
	const usable = withoutRenewed(
		candidates.filter(({faults}) => refused(faults, allowed).length === 0),
	);
	const [first, second] = usable;
	if (first === undefined) throw noneUsable(candidates, allowed, source);
	if (second === undefined) return first;
	throw badAlias(
		`${where} holds ${usable.length} identities that can be used; name one by its alias or its SHA-256 fingerprint: ${describeAll(usable)}`,
	);
}

/** An identity whose faults are allowed is not used beside a faultless one of the same name, its renewal. */
function withoutRenewed(identities: readonly StoredIdentity[]): StoredIdentity[] {
	const isFaultless = ({faults}: StoredIdentity) => faults.length === 0;
	const renewed = new Set(identities.filter(isFaultless).map(({leaf}) => leaf.subject));
	return identities.filter((each) => isFaultless(each) || !renewed.has(each.leaf.subject));
}

function badAlias(message: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_BAD_OPTION', 'mtls.alias', message);
}

/** Those with the fingerprint or the name; keytool takes capitals and small letters for the same. */
function findNamed(identities: readonly StoredIdentity[], alias: string): StoredIdentity[] {
	const hex = alias.replaceAll(/[:\s]/g, '').toUpperCase();
	const byFingerprint = identities.filter(
		({leaf}) => leaf.fingerprint256.replaceAll(':', '') === hex,
	);
	if (byFingerprint.length > 0) return byFingerprint;
	const exact = identities.filter(({names}) => names.includes(alias));
	if (exact.length > 0) return exact;
	const folded = alias.trim().toLowerCase();
	return identities.filter(({names}) => names.some((name) => name.toLowerCase() === folded));
}

type Permission = CertificateFault['allowedBy'];

const permissions: Readonly<Record<Permission, string>> = {
	allowExpired: '`mtls.allowExpired: true`',
	allowAnyPurpose: '`mtls.allowAnyPurpose: true`',
};

/** The faults that no option allows. */
function refused(
	faults: readonly CertificateFault[],
	allowed: readonly Permission[],
): CertificateFault[] {
	return faults.filter(({allowedBy}) => !allowed.includes(allowedBy));
}

/** @throws {MtlsConfigError} for `option`, when a certificate has a fault that is not allowed. */
export function assertAllowed(
	{leaf, faults}: Pick<StoredIdentity, 'leaf' | 'faults'>,
	allowed: readonly Permission[],
	source: Omit<IdentitySource, 'where'>,
): void {
	const [first] = refused(faults, allowed);
	if (first !== undefined) throw faultError(first, leaf, source);
}

function faultError(
	{code, message, remedy}: CertificateFault,
	leaf: X509Certificate,
	{certFrom, option}: Omit<IdentitySource, 'where'>,
): MtlsConfigError {
	const which = `'${subjectOf(leaf)}' in ${certFrom}`;
	return new MtlsConfigError(code, option, `our certificate ${which} ${message}; ${remedy}`);
}

function noneUsable(
	candidates: readonly StoredIdentity[],
	allowed: readonly Permission[],
	source: IdentitySource,
): MtlsConfigError {
	const {where, option} = source;
	const faults = candidates.flatMap((identity) =>
		refused(identity.faults, allowed)
			.slice(0, 1)
			.map((fault) => ({identity, fault})),
	);
	const [first, second] = faults;
	if (first !== undefined && second === undefined) {
		return faultError(first.fault, first.identity.leaf, source);
	}
	const reasons = faults.map(({identity, fault}) => `${describeShort(identity)} ${fault.message}`);
	const switches = new Set(faults.map(({fault}) => permissions[fault.allowedBy]));
	return new MtlsConfigError(
		first?.fault.code ?? 'ERR_MTLS_BAD_OPTION',
		option,
		`none of the ${candidates.length} identities in ${where} can be used: ${listSome(reasons)}; ${[...switches].join(' or ')} with \`mtls.alias\` sends one all the same`,
	);
}

/** A keystore of a whole company must not fill a log. */
const maxListed = 10;

function listSome(texts: readonly string[]): string {
	const more = texts.length - maxListed;
	return texts.slice(0, maxListed).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

function describeAll(identities: readonly StoredIdentity[]): string {
	return listSome(
		identities.map((each) => {
			const {validTo, fingerprint256} = each.leaf;
			const until = day(isoOf(each.leaf.validToDate) ?? validTo);
			return `${describeShort(each)}, until ${until}, ${fingerprint256}`;
		}),
	);
}

function isoOf(date: Date): string | undefined {
	return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function subjectOf(leaf: X509Certificate): string {
	// Node returns `undefined` for an empty name, against its types.
	return escapeControls((leaf.subject ?? '').split('\n').join(', ')) || 'no subject';
}

/** `'renewed' (CN=client)`. */
function describeShort({leaf, names}: StoredIdentity): string {
	const subject = subjectOf(leaf);
	const [name] = names;
	return name === undefined ? `'${subject}'` : `'${escapeControls(name)}' (${subject})`;
}
