// Prints what CloudFormation's own validation engine finds: engine.cjs PACKAGE TEMPLATE…, one report in JSON for each template.
const [path, ...templates] = process.argv.slice(2);
const { CompositeEngine, TemplateFile } = require(path);

const engine = new CompositeEngine();
for (const template of templates) {
    console.log(JSON.stringify(engine.validateTemplate(new TemplateFile(template))));
}
engine.free();
