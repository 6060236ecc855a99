// usage: node pages.mjs URL PATH SELECTOR COUNT
// Opens a page of a manager in Chromium, waits until SELECTOR is there COUNT times, and prints as JSON what was seen:
// the texts of those elements, every address that was asked for, and everything that went wrong.
import { chromium } from "playwright-core";

const [url, path, selector, count] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--disable-background-networking", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});
try {
  const page = await browser.newPage();
  const seen = { texts: [], requests: [], wrong: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("requestfailed", (request) => seen.wrong.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (answer) => answer.ok() || seen.wrong.push(`${answer.url()}: ${answer.status()}`));
  page.on("pageerror", (error) => seen.wrong.push(String(error)));
  page.on("console", (line) => line.type() === "error" && seen.wrong.push(line.text()));
  await page.goto(url + path);
  await page.waitForFunction(([wanted, least]) => document.querySelectorAll(wanted).length >= least,
    [selector, Number(count)], { timeout: 90_000 });
  seen.texts = await page.locator(selector).allTextContents();
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
