/*
 * Multipart forms: FormData of the web, npm's `form-data`, and what looks like either.
 */
import {over, parity, plainWay} from '../support/parity.ts';
import {
	byContentType,
	byNpmForm,
	byPolicy,
	byWebForm,
	byWebHeaders,
	failing,
	noBlobs,
	redirected,
} from '../support/parity-rows/forms.ts';

parity([
	...over(byWebForm),
	...over(byWebHeaders, [plainWay, {title: 'over https', server: 'm'}]),
	...over([...byContentType, noBlobs]),
	...over(byNpmForm),
	...over(byPolicy, [plainWay]),
	...over(redirected, [plainWay, {title: 'over https', server: 'm'}]),
	...over(failing, [
		plainWay,
		{title: 'without redirects', server: 'a', config: {maxRedirects: 0}},
	]),
]);
