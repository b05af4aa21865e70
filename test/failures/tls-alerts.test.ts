import {expect, test} from 'vitest';
import {alertOf} from '../../src/failures/tls-alerts.ts';

const text = (number: number) =>
	`40F7:error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:918:SSL alert number ${number}\n`;

test.each([
	[0, 'close_notify'],
	[40, 'handshake_failure'],
	[42, 'bad_certificate'],
	[43, 'unsupported_certificate'],
	[44, 'certificate_revoked'],
	[45, 'certificate_expired'],
	[46, 'certificate_unknown'],
	[48, 'unknown_ca'],
	[49, 'access_denied'],
	[51, 'decrypt_error'],
	[70, 'protocol_version'],
	[71, 'insufficient_security'],
	[80, 'internal_error'],
	[112, 'unrecognized_name'],
	[116, 'certificate_required'],
	[120, 'no_application_protocol'],
])('the alert %i is %s', (number, name) => {
	expect(alertOf(text(number))).toBe(name);
	expect(alertOf(`write EPROTO ${text(number)}`)).toBe(name);
});

test('an alert without a name is shown by its number', () => {
	expect(alertOf(text(255))).toBe('alert 255');
});

test.each(['', 'read ECONNRESET', 'SSL alert number', 'tlsv1 alert unknown ca'])(
	"the text '%s' names no alert",
	(message) => {
		expect(alertOf(message)).toBeUndefined();
	},
);
