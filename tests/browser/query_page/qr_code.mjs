// What a camera reads from the screen.

import decode from "qr/decode.js";

/** The text of the QR code that `locator` shows, as it is painted. */
export async function readQrCode(page, locator) {
  const picture = (await locator.screenshot()).toString("base64");
  // On a separate page, because the policy of the page under test limits what it may load.
  const reader = await page.context().browser().newPage();
  const { width, height, pixels } = await reader.evaluate(async (picture) => {
    const bytes = Uint8Array.from(atob(picture), (it) => it.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    canvas.drawImage(bitmap, 0, 0);
    const { width, height, data } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
    return { width, height, pixels: Array.from(data) };
  }, picture);
  await reader.close();
  return decode({ width, height, data: Uint8ClampedArray.from(pixels) });
}
