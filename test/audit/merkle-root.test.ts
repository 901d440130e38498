import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { MerkleRoot } from '../../core/audit/merkle-root.ts';

/** The definition of RFC 6962, section 2.1, taken literally. */
function treeHash(leaves: readonly Uint8Array[]): Buffer {
  const [leaf] = leaves;
  if (leaf === undefined) return createHash('sha256').digest();
  if (leaves.length === 1)
    return createHash('sha256')
      .update(Buffer.from([0]))
      .update(leaf)
      .digest();
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return createHash('sha256')
    .update(Buffer.from([1]))
    .update(treeHash(leaves.slice(0, split)))
    .update(treeHash(leaves.slice(split)))
    .digest();
}

test('agrees with the definition at every size', () => {
  const root = new MerkleRoot();
  const leaves: Uint8Array[] = [];
  for (let size = 0; size < 70; size += 1) {
    expect(root.digest()).toBe(treeHash(leaves).toString('hex'));
    const leaf = Buffer.from(`leaf ${size}`);
    root.append(leaf);
    leaves.push(leaf);
  }
});

// Certificate Transparency's own test leaves and roots.
test('agrees with the known answers of Certificate Transparency', () => {
  const root = new MerkleRoot();
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  for (const leaf of leaves) root.append(Buffer.from(leaf, 'hex'));
  expect(root.digest()).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
});
