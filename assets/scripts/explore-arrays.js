// Attention as the server packs it, and what is computed from it in the page. Nothing here knows of the page itself.
const SQUARES = Float32Array.from({ length: 256 }, (_, code) => (code / 255) ** 2);
const LOGS = Float32Array.from({ length: 256 }, (_, code) => 2 * Math.log2(code / 255));

// All blocks' attention of one face. A block's bytes are its rows' scales, float32 (heads, T), then its codes, uint8
// (heads, T, T): a weight is scale * (code / 255) ** 2.
class Attention {
  constructor({ blocks, heads, grid, numTokens, pooling }) {
    Object.assign(this, { blocks, heads, grid, numTokens, pooling });
    this.numPrefix = numTokens - grid[0] * grid[1];
    this.bytesOfBlock = heads * this.numTokens * (4 + this.numTokens);
    this.scales = Array(blocks);
    this.codes = Array(blocks);
    this.fusedBy = ""; // what `fusedBlocks` holds
    this.fusedBlocks = [];
    this.mixedBy = "";
    this.mixedBlocks = [];
    this.statistics = Array(blocks);
  }

  has(block) {
    return Boolean(this.codes[block]);
  }

  take(block, buffer) {
    const numRows = this.heads * this.numTokens;
    this.scales[block] = new Float32Array(buffer, 0, numRows);
    this.codes[block] = new Uint8Array(buffer, 4 * numRows);
  }

  // The weights of one head's row: from a token to all tokens.
  row(block, head, query) {
    const [at, length] = [head * this.numTokens + query, this.numTokens];
    const [scale, codes, start] = [this.scales[block][at], this.codes[block], at * length];
    return Float32Array.from({ length }, (_, key) => scale * SQUARES[codes[start + key]]);
  }

  // One head as (T, T), or all of them as their "mean", "max" or "min".
  fused(block, heads) {
    if (this.fusedBy !== String(heads)) [this.fusedBy, this.fusedBlocks] = [String(heads), []];
    return (this.fusedBlocks[block] ??= this.#fuse(block, heads));
  }

  #fuse(block, heads) {
    const length = this.numTokens ** 2;
    const fused = new Float32Array(length).fill(heads === "min" ? Infinity : 0);
    const chosen = typeof heads === "number" ? [heads] : Array(this.heads).keys();
    const [scales, codes] = [this.scales[block], this.codes[block]];
    for (const head of chosen) {
      for (let query = 0, at = 0; query < this.numTokens; query += 1) {
        const row = head * this.numTokens + query;
        const scale = scales[row] * (heads === "mean" ? 1 / this.heads : 1);
        for (let code = row * this.numTokens, end = code + this.numTokens; code < end; code += 1, at += 1) {
          const weight = scale * SQUARES[codes[code]];
          if (heads === "max") fused[at] = Math.max(fused[at], weight);
          else if (heads === "min") fused[at] = Math.min(fused[at], weight);
          else fused[at] += weight;
        }
      }
    }
    return fused;
  }

  // A block in attention rollout (Abnar & Zuidema 2020): the least weights left out, (A + I) / rowsum.
  mixed(block, heads, discard) {
    const by = `${heads} ${discard}`;
    if (this.mixedBy !== by) [this.mixedBy, this.mixedBlocks] = [by, []];
    return (this.mixedBlocks[block] ??= this.#mix(this.fused(block, heads), discard));
  }

  #mix(fused, discard) {
    const [size, mixed] = [this.numTokens, Float32Array.from(fused)];
    const numLeftOut = Math.floor(fused.length * discard);
    if (numLeftOut) {
      const least = Float32Array.from(fused).sort();
      let equals = numLeftOut - least.findIndex((weight) => weight === least[numLeftOut - 1]);
      for (let at = 0; at < mixed.length; at += 1) {
        if (fused[at] < least[numLeftOut - 1] || (fused[at] === least[numLeftOut - 1] && equals-- > 0)) mixed[at] = 0;
      }
    }
    for (let row = 0; row < size; row += 1) {
      mixed[row * size + row] += 1;
      const weights = mixed.subarray(row * size, (row + 1) * size);
      const sum = weights.reduce((total, weight) => total + weight, 0);
      for (let at = 0; at < size; at += 1) weights[at] /= sum;
    }
    return mixed;
  }

  // How much of each token a vector of tokens reads, or who reads it: in one block, or through all up to it.
  map(source, { block, heads, span, direction, discard }) {
    if (span === "block") return this.#times(source, this.fused(block, heads), direction);
    const passed = [...Array(block + 1).keys()];
    const order = direction === "from" ? passed.reverse() : passed;
    return order.reduce((vector, at) => this.#times(vector, this.mixed(at, heads, discard), direction), source);
  }

  // vector * matrix, what it is made of ("from"); or matrix * vector, what is made of it ("to").
  #times(vector, matrix, direction) {
    const [size, product] = [this.numTokens, new Float32Array(this.numTokens)];
    for (let row = 0, at = 0; row < size; row += 1) {
      if (direction === "from" && !vector[row]) at += size;
      else if (direction === "from") for (let key = 0; key < size; key += 1, at += 1) product[key] += vector[row] * matrix[at];
      else for (let key = 0; key < size; key += 1, at += 1) product[row] += vector[key] * matrix[at];
    }
    return product;
  }

  // A vector that is one token, or, of null, what the verdict is read from: see `pooled`.
  source(patch, heads) {
    if (patch === null) return this.pooled(heads);
    const source = new Float32Array(this.numTokens);
    source[this.numPrefix + patch] = 1;
    return source;
  }

  // How much each token counts in what the verdict is read from: (heads or 1, vectors, T), its heads made one.
  pooled(heads) {
    const { values, heads: numHeads, vectors } = this.pooling;
    const [length, sum] = [this.numTokens, new Float32Array(this.numTokens)];
    const chosen = typeof heads === "number" ? [Math.min(heads, numHeads - 1)] : [...Array(numHeads).keys()];
    const fuse = { mean: (weights) => sumOf(weights) / weights.length, max: (weights) => Math.max(...weights), min: (weights) => Math.min(...weights) };
    for (let vector = 0; vector < vectors; vector += 1) {
      const fused = Float32Array.from({ length }, (_, token) =>
        (fuse[heads] ?? fuse.mean)(chosen.map((head) => values[(head * vectors + vector) * length + token])),
      );
      const total = sumOf(fused) * vectors;
      fused.forEach((weight, token) => (sum[token] += weight / total));
    }
    return sum;
  }

  patches(tokens) {
    return tokens.subarray(this.numPrefix);
  }

  // Of each head of a block, over all patches that look: how far away, in patches, and how spread, in bits.
  statisticsOf(block) {
    return (this.statistics[block] ??= [...Array(this.heads).keys()].map((head) => this.#statistics(block, head)));
  }

  #statistics(block, head) {
    const [columns, size, first] = [this.grid[1], this.numTokens, this.numPrefix];
    const codes = this.codes[block];
    let [distance, entropy] = [0, 0];
    for (let query = first; query < size; query += 1) {
      const row = head * size + query;
      const [scale, x, y] = [this.scales[block][row], (query - first) % columns, Math.floor((query - first) / columns)];
      let [far, onPatches, bits] = [0, 0, 0];
      for (let key = 0; key < size; key += 1) {
        const code = codes[row * size + key];
        if (!code) continue;
        const weight = scale * SQUARES[code];
        bits -= weight * (Math.log2(scale) + LOGS[code]);
        if (key < first) continue;
        onPatches += weight;
        far += weight * Math.hypot(((key - first) % columns) - x, Math.floor((key - first) / columns) - y);
      }
      distance += onPatches ? far / onPatches : 0;
      entropy += bits;
    }
    return { distance: distance / (size - first), entropy: entropy / (size - first) };
  }
}

function floatsOf(base64) {
  return new Float32Array(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
}

function sumOf(values) {
  return values.reduce((total, value) => total + value, 0);
}

// Indices of the greatest values, the greatest first.
function greatest(values, count) {
  return [...values.keys()].sort((one, other) => values[other] - values[one]).slice(0, count);
}

// Parts of the face: each one's share of all values, and how many times what its size alone would give; that most first.
function againstSize(values, names) {
  const parts = new Map();
  const total = sumOf(values) || 1;
  names.forEach((name, patch) => {
    const part = parts.get(name) ?? { name, share: 0, size: 0 };
    parts.set(name, { name, share: part.share + values[patch] / total, size: part.size + 1 / names.length });
  });
  return [...parts.values()].map((part) => ({ ...part, times: part.share / part.size })).sort((one, other) => other.times - one.times);
}

function percent(share) {
  return share > 0 && share < 0.005 ? "under 1 %" : `${Math.round(100 * share)} %`;
}

// Of a face: some two thirds of its picture, so it does not compete with the parts of the face.
const BACKGROUND = "background";

// A p of fake or how it changes, everywhere with as many digits as in Analyze.
function inDigits(p) {
  return p.toFixed(3);
}

// From one p to another, as the digits have them: so that what people subtract comes out.
function changeInDigits(from, to) {
  return (Math.round(1000 * to) - Math.round(1000 * from)) / 1000;
}
