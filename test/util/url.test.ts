import {expect, test} from 'vitest';
import {authorityOf, authorityOfUrl} from '../../src/util/url.ts';

test('a host is written with its port, as in a URL', () => {
	expect(authorityOf('::1', 443)).toBe('[::1]:443');
	expect(authorityOf('a.test', 80)).toBe('a.test:80');
	expect(authorityOfUrl(new URL('https://a.test/x'))).toBe('a.test:443');
	expect(authorityOfUrl(new URL('http://[::1]/'))).toBe('[::1]:80');
	expect(authorityOfUrl(new URL('https://a.test:8443/'))).toBe('a.test:8443');
});
