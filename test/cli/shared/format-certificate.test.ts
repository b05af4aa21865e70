import {expect, test} from 'vitest';
import {commonName} from '../../../src/cli/shared/format-certificate.ts';

test.each([
	['CN=localhost', 'localhost'],
	['O=Bank, CN=api.bank.example', 'api.bank.example'],
	// Seen: "The Certification Authority of a Long Name\" of such a name.
	['CN=A Long Name\\, Ltd, O=Bank', 'A Long Name, Ltd'],
	['CN=a\\\\b', 'a\\b'],
	['O=Bank', 'O=Bank'],
	['', '(no name)'],
])('the common name of "%s" is "%s"', (distinguished, name) => {
	expect(commonName(distinguished)).toBe(name);
});
