// Unpacks what the package from npm holds into the folder it was installed in.
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';

const packed = 'node_modules/@sparticuz/chromium/bin';
for (const name of ['chromium', 'al2023.tar', 'fonts.tar', 'swiftshader.tar']) {
  const out = createWriteStream(name, { mode: 0o755 });
  await pipeline(createReadStream(`${packed}/${name}.br`), createBrotliDecompress(), out);
}
