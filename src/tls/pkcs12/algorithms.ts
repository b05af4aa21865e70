// Of what files of keys are protected with, as far as it is not opened here: OpenSSL 3 has these no more, or
// never had them.
const names: Readonly<Record<string, string>> = {
	'1.2.840.113549.1.12.1.1': 'RC4 of 128 bits',
	'1.2.840.113549.1.12.1.2': 'RC4 of 40 bits',
	'1.2.840.113549.1.5.1': 'DES with MD2',
	'1.2.840.113549.1.5.4': 'RC2 with MD2',
	'1.2.840.113549.1.5.6': 'RC2 with MD5',
	'1.2.840.113549.1.5.11': 'RC2 with SHA-1',
	'1.2.840.113549.3.2': 'RC2',
	'1.2.840.113549.3.4': 'RC4',
	'1.2.840.113549.3.9': 'RC5',
	'1.3.14.3.2.7': 'DES',
	'1.2.410.200004.1.4': 'SEED',
	'1.2.410.200004.1.15': 'SEED with SHA-1',
	'1.3.6.1.4.1.3029.1.2': 'Blowfish',
	'1.2.840.113533.7.66.10': 'CAST5',
	'1.3.6.1.4.1.188.7.1.1.2': 'IDEA',
	'1.2.643.2.2.21': 'GOST 28147-89',
	'2.16.840.1.101.3.4.1.6': 'AES-128-GCM',
	'2.16.840.1.101.3.4.1.26': 'AES-192-GCM',
	'2.16.840.1.101.3.4.1.46': 'AES-256-GCM',
	'1.2.840.113549.2.2': 'MD2',
	'1.2.840.113549.2.4': 'MD4',
	'1.2.643.2.2.9': 'GOST R 34.11-94',
	'1.2.643.7.1.1.2.2': 'GOST R 34.11-2012 of 256 bits',
	'1.2.643.7.1.1.2.3': 'GOST R 34.11-2012 of 512 bits',
};

/** An algorithm by its name, where it is known, and its OID: `SEED (1.2.410.200004.1.4)`. */
export function describeAlgorithm(oid: string): string {
	return Object.hasOwn(names, oid) ? `${names[oid]} (${oid})` : oid;
}
