// Writes the results to the file that MEASUREMENTS names, one JSON object a line.
import { appendFileSync } from "node:fs";

export const report = (result) => appendFileSync(process.env.MEASUREMENTS, `${JSON.stringify(result)}\n`);
