// Signing in, staying signed in, and the second factor.

import { eventually, expect, withPage } from "../browser.mjs";
import { readQrCode } from "./qr_code.mjs";
import { PAGE, answers, refuse, serve, server, signIn, tokens } from "./scripted_service.mjs";

export const signingIn = {
  async "a refusal by Cognito is shown as a sentence"({ folder, pictures }) {
    let refusal = refuse("NotAuthorizedException", "Incorrect username or password.");
    const cognito = { RespondToAuthChallenge: () => refusal, ConfirmSignUp: () => refuse("ExpiredCodeException"), SignUp: () => ({ body: { UserConfirmed: false, UserSub: "s", CodeDeliveryDetails: { DeliveryMedium: "EMAIL", Destination: "a***" } } }) };
    await withPage({ pictures, expected: [/400|ERR_FAILED/] }, async (page, shot) => {
      await serve(page, { folder, cognito, socket: server(answers).socket });
      await page.goto(`${PAGE}/`);
      const enter = () => page.getByRole("button", { name: "Sign in" }).click();
      const says = (text) => page.getByRole("alert").getByText(text).waitFor();
      await enter();
      await page.getByText("enter your e-mail address").waitFor();
      await eventually(() => page.locator(":focus").getAttribute("name"), "email");
      await page.getByLabel("E-mail address").fill("ada.example.com");
      await enter();
      await eventually(() => page.locator(":focus").getAttribute("name"), "email");
      expect(await page.getByLabel("E-mail address").inputValue(), "ada.example.com");
      await page.getByLabel("E-mail address").fill("ada@example.com");
      await page.getByLabel("Password", { exact: true }).fill("wrong");
      await enter();
      await says("The e-mail address or the password is wrong.");
      await shot("page-wrong-password");
      refusal = refuse("LimitExceededException");
      await enter();
      await says("There were too many attempts.");
      refusal = "no answer";
      await enter();
      await says("There is no connection.");
      await page.getByRole("button", { name: "Create an account" }).click();
      await page.getByLabel("Password", { exact: true }).fill("Correct-horse-1");
      await page.getByRole("button", { name: "Create account" }).click();
      await page.getByRole("heading", { name: "Verify your address" }).waitFor();
      await page.getByLabel("Code").fill("123456");
      await page.getByRole("button", { name: "Verify" }).click();
      await says("This code has expired.");
      await shot("page-expired-code");
    });
  },
  async "an authenticator code and a first password are asked for"({ folder, pictures }) {
    const steps = [
      { body: { ChallengeName: "NEW_PASSWORD_REQUIRED", Session: "s1", ChallengeParameters: { requiredAttributes: "[]", userAttributes: "{}" } } },
      { body: { ChallengeName: "SOFTWARE_TOKEN_MFA", Session: "s2", ChallengeParameters: {} } },
      tokens(),
    ];
    await withPage({ pictures }, async (page, shot) => {
      await serve(page, { folder, signUp: false, cognito: { RespondToAuthChallenge: () => steps.shift() }, socket: server(answers).socket });
      await page.goto(`${PAGE}/`);
      await page.getByLabel("E-mail address").fill("ada@example.com");
      expect(await page.getByRole("button", { name: "Create an account" }).count(), 0);
      await page.getByLabel("Password", { exact: true }).fill("Temporary-1!");
      await page.keyboard.press("Enter");
      await page.getByLabel("New password").fill("Correct-horse-1");
      await page.keyboard.press("Enter");
      await page.getByLabel("Code from the app").fill("123 456");
      await shot("page-second-step");
      await page.keyboard.press("Enter");
      await page.getByText("Connected", { exact: true }).waitFor();
      expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""]);
    });
  },
  async "a screen has its focus by the time that it can be seen"({ folder, pictures }) {
    await withPage({ pictures }, async (page) => {
      // Checks right after each change of the page, before anything is painted.
      await page.addInitScript(() => {
        window.focusOfScreens = {};
        const look = () => {
          const screen = document.querySelector(".workspace") ? "workspace" : document.querySelector("#screen-title")?.textContent;
          if (screen) window.focusOfScreens[screen] ??= document.activeElement.name ?? document.activeElement.className;
        };
        new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
      });
      await serve(page, { folder, socket: server(answers).socket });
      await page.goto(`${PAGE}/`);
      await page.getByRole("button", { name: "Create an account" }).click();
      await page.getByRole("button", { name: "Sign in instead" }).click();
      await page.getByLabel("E-mail address").fill("ada@example.com");
      await page.getByLabel("Password", { exact: true }).fill("Correct-horse-1");
      await page.keyboard.press("Enter");
      await page.getByText("Connected", { exact: true }).waitFor();
      expect(await page.evaluate(() => window.focusOfScreens), { "Sign in": "email", "Create an account": "email", workspace: "workspace" });
    });
  },
  async "a required authenticator is set up at the first sign-in"({ folder, pictures }) {
    const steps = [
      { body: { ChallengeName: "MFA_SETUP", Session: "s1", ChallengeParameters: { MFAS_CAN_SETUP: '["SOFTWARE_TOKEN_MFA"]' } } },
      tokens(),
    ];
    const cognito = {
      RespondToAuthChallenge: () => steps.shift(),
      AssociateSoftwareToken: () => ({ body: { SecretCode: "ABCDEFGHIJKLMNOP", Session: "s2" } }),
      VerifySoftwareToken: ({ UserCode }) => (UserCode === "123456" ? { body: { Status: "SUCCESS", Session: "s3" } } : refuse("EnableSoftwareTokenMFAException")),
    };
    await withPage({ pictures, expected: [/400/] }, async (page, shot) => {
      await serve(page, { folder, cognito, socket: server(answers).socket });
      await page.goto(`${PAGE}/`);
      await page.getByLabel("E-mail address").fill("ada@example.com");
      await page.getByLabel("Password", { exact: true }).fill("Correct-horse-1");
      await page.keyboard.press("Enter");
      await page.getByText("ABCD EFGH IJKL MNOP").waitFor();
      await page.getByLabel("Code from the app").fill("000000");
      await page.keyboard.press("Enter");
      await page.getByText("This code is wrong.").waitFor();
      await shot("page-set-up");
      await page.getByLabel("Code from the app").fill("123456");
      await page.keyboard.press("Enter");
      await page.getByText("Connected", { exact: true }).waitFor();
    });
  },
  async "an authenticator app is added with a code that only a camera reads"({ folder, pictures }) {
    const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    const cognito = {
      AssociateSoftwareToken: () => ({ body: { SecretCode: secret } }),
      VerifySoftwareToken: () => ({ body: { Status: "SUCCESS" } }),
    };
    for (const dark of [false, true]) {
      await withPage({ pictures, dark, phone: dark }, async (page, shot) => {
        const requests = [];
        page.on("request", (it) => requests.push(`${it.url()} ${it.postData()}`));
        await serve(page, { folder, cognito, socket: server(answers).socket });
        await signIn(page);
        const toggle = page.getByRole("button", { name: "Two-step sign-in" });
        await toggle.click();
        await eventually(() => page.locator(":focus").textContent(), "Two-step sign-in");
        const link = await page.getByRole("link", { name: "Open an app on this device" }).getAttribute("href");
        expect([new URL(link).protocol, new URL(link).searchParams.get("secret")], ["otpauth:", secret]);
        expect(await readQrCode(page, page.getByRole("img", { name: "QR code" })), link);
        await shot(dark ? "page-two-steps-dark-phone" : "page-two-steps");
        await page.getByLabel("Code from the app").fill("123456");
        await page.keyboard.press("Enter");
        await page.getByText("From now on").waitFor();
        await eventually(() => page.locator(":focus").textContent(), "Two-step sign-in");
        await page.getByRole("button", { name: "Close" }).click();
        await eventually(() => toggle.evaluate((it) => it === document.activeElement), true);
        expect(requests.filter((it) => it.includes(secret)), []);
      });
    }
  },
  async "a session that has ended asks to sign in again and keeps the results"({ folder, pictures }) {
    let isOver = false;
    const script = server((send, message) => answers(send, message));
    const cognito = { InitiateAuth: ({ AuthFlow }) => (isOver && AuthFlow !== "USER_SRP_AUTH" ? refuse("NotAuthorizedException", "Refresh Token has expired") : undefined) };
    cognito.GetTokensFromRefreshToken = () => (isOver ? refuse("NotAuthorizedException", "Refresh Token has expired") : undefined);
    await withPage({ pictures, expected: [/400/] }, async (page, shot) => {
      await serve(page, { folder, cognito, socket: script.socket });
      await signIn(page);
      await page.getByRole("button", { name: "Run" }).click();
      await page.getByRole("status").filter({ hasText: "31 rows" }).waitFor();
      isOver = true;
      script.connections.at(-1).send(JSON.stringify({ type: "expired" }));
      await page.getByText("your results are kept").waitFor();
      await shot("page-session-ended");
      await page.getByLabel("E-mail address").fill("ada@example.com");
      await page.getByLabel("Password", { exact: true }).fill("Correct-horse-1");
      await page.keyboard.press("Enter");
      await page.getByText("Connected", { exact: true }).waitFor();
      await page.getByRole("status").filter({ hasText: "31 rows" }).waitFor();
      await eventually(() => page.locator(".table tbody tr").count(), 31);
    });
  },
};
