import {expect, test} from 'vitest';
import {mayBeUnread} from '../../src/connection/keep-alive.ts';

test.each([
	[299, 65_537, false],
	[300, 65_537, true],
	[413, 65_535, false],
	[413, 65_536, false],
	[413, 65_537, true],
	[500, Number.POSITIVE_INFINITY, true],
	[200, Number.POSITIVE_INFINITY, false],
	[401, 0, false],
])('a %i to a body of %d bytes says that it was likely not read: %s', (status, bytes, unread) => {
	expect(mayBeUnread(status, bytes)).toBe(unread);
});
