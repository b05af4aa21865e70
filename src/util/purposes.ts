// RFC 5280 §4.2.1.12, and those of Microsoft and RFC 4556 that certificates of clients often have.
const names: Readonly<Record<string, string>> = {
	'1.3.6.1.5.5.7.3.1': 'serverAuth',
	'1.3.6.1.5.5.7.3.2': 'clientAuth',
	'1.3.6.1.5.5.7.3.3': 'codeSigning',
	'1.3.6.1.5.5.7.3.4': 'emailProtection',
	'1.3.6.1.5.5.7.3.8': 'timeStamping',
	'1.3.6.1.5.5.7.3.9': 'OCSPSigning',
	'1.3.6.1.5.2.3.4': 'pkinitClientAuth',
	'1.3.6.1.4.1.311.20.2.2': 'smartcardLogon',
	'2.5.29.37.0': 'anyExtendedKeyUsage',
};

/** The words for the OIDs of an extendedKeyUsage: `serverAuth`. An OID without one stays a number. */
export function purposeNames(oids: readonly string[]): string[] {
	return oids.map((oid) => (Object.hasOwn(names, oid) ? (names[oid] ?? oid) : oid));
}

/**
 * Whether a certificate may be used by a client.
 *
 * @param oids - Its extendedKeyUsage; without the extension it is for any purpose.
 */
export function isForClients(oids: readonly string[] | undefined): boolean {
	return isFor('clientAuth', oids);
}

/** Whether a certificate may be used by a server; as {@link isForClients}. */
export function isForServers(oids: readonly string[] | undefined): boolean {
	return isFor('serverAuth', oids);
}

function isFor(purpose: string, oids: readonly string[] | undefined): boolean {
	return (
		oids === undefined ||
		purposeNames(oids).some((name) => name === purpose || name === 'anyExtendedKeyUsage')
	);
}
