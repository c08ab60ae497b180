export default { test: { include: ['counter.vitest.mjs'] } }
