/**
 * Curves that TLS has a number for and whose keys are not too short for Node: with TLS 1.2 the key of a
 * leaf must be on one of those that the client names.
 */
export const tlsCurves = [
	...['X25519', 'P-256', 'P-384', 'P-521', 'secp256k1', 'secp224r1', 'secp224k1'],
	...['brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1'],
	...['sect233k1', 'sect233r1', 'sect239k1', 'sect283k1', 'sect283r1'],
	...['sect409k1', 'sect409r1', 'sect571k1', 'sect571r1'],
].join(':');
