import {over, parity, plainWay, ways} from '../support/parity.ts';
import {
	bare,
	byAnswer,
	byBreak,
	byStatus,
	byType,
	redirected,
} from '../support/parity-rows/streamed.ts';

const twoWays = ways.filter(({config}) => config === undefined);

parity([
	...over(byAnswer),
	...over(byStatus),
	...over(bare),
	...over(byBreak),
	...over(redirected, twoWays),
	...over(byType, [plainWay]),
]);
