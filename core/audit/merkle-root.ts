import { createHash } from 'node:crypto';

const leafPrefix = Buffer.from([0]);
const nodePrefix = Buffer.from([1]);

interface Subtree {
  readonly size: number;
  readonly hash: Buffer;
}

/** The Merkle tree hash of RFC 6962, section 2.1, over leaves that come one at a time. Keeps log2(n) hashes. */
export class MerkleRoot {
  /** Roots of complete subtrees, largest first. */
  readonly #subtrees: Subtree[] = [];

  append(leaf: Uint8Array): void {
    let node: Subtree = { size: 1, hash: createHash('sha256').update(leafPrefix).update(leaf).digest() };
    for (
      let last = this.#subtrees.at(-1);
      last !== undefined && last.size === node.size;
      last = this.#subtrees.at(-1)
    ) {
      this.#subtrees.pop();
      node = { size: node.size * 2, hash: hashNode(last.hash, node.hash) };
    }
    this.#subtrees.push(node);
  }

  /** The root in lower-case hexadecimal; of no leaves, the SHA-256 of nothing. More leaves may follow. */
  digest(): string {
    const [last, ...rest] = this.#subtrees.toReversed();
    if (last === undefined) return createHash('sha256').digest('hex');
    return rest.reduce((right, left) => hashNode(left.hash, right), last.hash).toString('hex');
  }
}

function hashNode(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(nodePrefix).update(left).update(right).digest();
}
