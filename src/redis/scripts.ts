/*
 * What takes more than one command of Redis is one script, which nothing comes between. Each knows
 * the keys that it is given and no other, so that a cluster can place them.
 */

/** KEYS: the hash. ARGV: field, value, life in ms. */
export const putScript = `
local life = tonumber(ARGV[3])
if life <= 0 then
	return redis.call('HDEL', KEYS[1], ARGV[1])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
-- Redis 7.4, Valkey 9. An older server refuses it; there the field goes when it is read, or with the key.
redis.pcall('HPEXPIRE', KEYS[1], ARGV[3], 'FIELDS', 1, ARGV[1])
-- The key lives as long as its last cookie. A new one has no end: -1.
if redis.call('PTTL', KEYS[1]) < life then
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
`;

/** KEYS: the hash. ARGV: what the fields to remove begin with. */
export const removeBelowScript = `
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
	if string.sub(field, 1, #ARGV[1]) == ARGV[1] then
		redis.call('HDEL', KEYS[1], field)
	end
end
`;

/** KEYS: the hash. ARGV: field, value, field, value. Another process may have set one anew. */
export const removeUnchangedScript = `
for i = 1, #ARGV, 2 do
	if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
		redis.call('HDEL', KEYS[1], ARGV[i])
	end
end
`;

/** KEYS: the lease. ARGV: token, life in ms. */
export const acquireScript = `
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
`;

/** KEYS: the lease. ARGV: token. */
export const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then
	redis.call('DEL', KEYS[1])
end
`;

/** KEYS: the lease, the counter. ARGV: token, life of the counter in ms. */
export const completeScript = `
if redis.call('EXISTS', KEYS[2]) == 0 then
	-- A server that lost its data must not give the same numbers again: they are told apart by them.
	local now = redis.call('TIME')
	redis.call('SET', KEYS[2], now[1] * 1000 + math.floor(now[2] / 1000))
end
redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if redis.call('GET', KEYS[1]) == ARGV[1] then
	redis.call('DEL', KEYS[1])
end
`;
