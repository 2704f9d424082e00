// The PouchDB centre: express-pouchdb on leveldb, nothing switched on that replication does not need.
// node centre.js FOLDER; prints its address.
"use strict";
const express = require("express");
const PouchDB = require("pouchdb").defaults({ prefix: process.argv[2] + "/" });

const app = express();
app.use(require("express-pouchdb")(PouchDB, { mode: "minimumForPouchDB" }));
const server = app.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
