// The PouchDB device: a local database on leveldb, replicated to a centre in batches.
// node device.js FOLDER CENTRE BATCH; for each line of standard input it answers one of JSON:
//   add FILE   puts the file's records (one JSON document a line) into the local database
//   send       replicates what is new: { "sent": records, "seconds": from the call to its end }
//   stored     { "stored": documents at the centre }
"use strict";
const fs = require("fs");
const PouchDB = require("pouchdb");

const local = new PouchDB(process.argv[2] + "/device");
const remote = new PouchDB(process.argv[3] + "answers");
const batch = Number(process.argv[4]);

async function answer(line) {
  const [word, file] = line.split(" ");
  if (word === "add") {
    const docs = fs.readFileSync(file, "utf8").trim().split("\n").map((text) => JSON.parse(text));
    await local.bulkDocs(docs);
    return { added: docs.length };
  }
  if (word === "stored") return { stored: (await remote.info()).doc_count };
  const before = process.hrtime.bigint();
  const done = await local.replicate.to(remote, { batch_size: batch });
  const seconds = Number(process.hrtime.bigint() - before) / 1e9;
  return { sent: done.docs_written, failed: done.doc_write_failures, seconds };
}

(async () => {
  await remote.info();
  console.log(JSON.stringify({ ready: true }));
  for await (const line of require("readline").createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(line)));
  }
  process.exit(0);
})();
