//! Sources of modules: what they use others as, and what is changed in their configurations.

use serde_json::json;

use super::Table;

/// A module whose constructor and function need no container.
const TOOL: &str = "from typing import Annotated\n\nimport dagger\nfrom dagger import DefaultPath, field, function, object_type\n\n\n\
    @object_type\nclass Tool:\n    word: str = field(default=\"a\")\n\n    @function\n    \
    async def note(self, file: Annotated[dagger.File, DefaultPath(\"note\")]) -> str:\n        return await file.contents()\n";

#[test]
fn module_sources_say_what_modules_they_use() {
    let mut table = Table::new();
    let nsci = &table.nsci;
    nsci.write("tool/dagger.json", r#"{"name": "tool", "sdk": "python"}"#);
    nsci.write("tool/main.py", TOOL);
    nsci.write("app/note", "of the app");
    let config = r#"{"name": "app", "toolchains": [{"name": "lint", "source": "../tool"}]}"#;
    nsci.write("app/dagger.json", config);
    nsci.write("web/note", "of the web");
    let config = r#"{"name": "web", "blueprint": "../tool"}"#;
    nsci.write("web/dagger.json", config);
    let [app, web, tool] =
        ["app", "web", "tool"].map(|name| format!("moduleSource(refString: \"{name}\")"));
    let (id, other) = (table.id(&tool), table.id(&app));
    let after = "generatedContextDirectory file(path: \"dagger.json\") contents";
    table
        .is(
            "toolchains are sources",
            &format!("{app} toolchains {{moduleName}}"),
            json!([{"moduleName": "tool"}]),
        )
        .is(
            "toolchains are no dependencies",
            &format!("{app} dependencies {{moduleName}}"),
            json!([]),
        )
        .is(
            "a blueprint is a source",
            &format!("{web} blueprint moduleName"),
            "tool",
        )
        .fails(
            "there may be no blueprint",
            &format!("{app} blueprint moduleName"),
            &["module `app` has no blueprint"],
        )
        .is(
            "a source that was not changed generates nothing",
            &format!("{app} generatedContextChangeset isEmpty"),
            true,
        )
        .is(
            "a change of the configuration is generated",
            &format!("{app} withName(name: \"other\") generatedContextChangeset modifiedPaths"),
            json!(["dagger.json"]),
        )
        .is(
            "what is generated says the change",
            &format!("{app} withoutToolchains(toolchains: [\"lint\"]) {after}"),
            "{\n  \"name\": \"app\"\n}\n",
        )
        .is(
            "toolchains are added by name and relative path",
            &format!(
                "{app} withoutToolchains(toolchains: [\"lint\"]) withToolchains(toolchains: [{id}]) {after}"
            ),
            "{\n  \"name\": \"app\",\n  \"toolchains\": [\n    {\n      \"name\": \"tool\",\n      \
             \"source\": \"../tool\"\n    }\n  ]\n}\n",
        )
        .is(
            "a toolchain of the same place makes way",
            &format!("{app} withToolchains(toolchains: [{id}]) toolchains {{moduleName}}"),
            json!([{"moduleName": "tool"}]),
        )
        .is(
            "updates leave local toolchains alone",
            &format!("{app} withUpdateToolchains(toolchains: []) generatedContextChangeset isEmpty"),
            true,
        )
        .fails(
            "unknown toolchains are not updated",
            &format!("{app} withUpdateToolchains(toolchains: [\"x\"]) sync"),
            &["module `app` has no toolchain `x`"],
        )
        .is(
            "dependencies are added",
            &format!("{tool} withDependencies(dependencies: [{other}]) dependencies {{moduleName}}"),
            json!([{"moduleName": "app"}]),
        )
        .is(
            "updates leave local dependencies alone",
            &format!("{tool} withUpdateDependencies(dependencies: []) generatedContextChangeset isEmpty"),
            true,
        )
        .is(
            "a blueprint is set",
            &format!("{app} withBlueprint(blueprint: {id}) blueprint moduleName"),
            "tool",
        )
        .is(
            "a module is loaded as its source was changed",
            &format!(
                "{app} withName(name: \"changed\") withBlueprint(blueprint: {id}) asModule objects {{asObject {{name functions {{name}}}}}}"
            ),
            json!([{"asObject": {"name": "Changed", "functions": [{"name": "note"}]}}]),
        )
        .is(
            "the file stays as it is",
            &format!("{app} asModule name"),
            "app",
        )
        .fails(
            "code and a blueprint exclude each other",
            &format!("{tool} withBlueprint(blueprint: {id}) sync"),
            &["module `tool` has code of its own"],
        )
        .is(
            "a blueprint is removed",
            &format!("{web} withoutBlueprint {after}"),
            "{\n  \"name\": \"web\"\n}\n",
        )
        .is(
            "updates leave a local blueprint alone",
            &format!("{web} withUpdateBlueprint generatedContextChangeset isEmpty"),
            true,
        )
        .is(
            "features are switched on",
            &format!("{tool} withExperimentalFeatures(features: [SELF_CALLS]) {after}"),
            "{\n  \"name\": \"tool\",\n  \"sdk\": {\n    \"source\": \"python\",\n    \"experimental\": {\n      \
             \"SELF_CALLS\": true\n    }\n  }\n}\n",
        )
        .is(
            "features are switched off",
            &format!(
                "{tool} withExperimentalFeatures(features: [SELF_CALLS]) withoutExperimentalFeatures(features: []) \
                 generatedContextChangeset isEmpty"
            ),
            true,
        )
        .fails(
            "features are those of an SDK",
            &format!("{app} withExperimentalFeatures(features: [SELF_CALLS]) sync"),
            &["module `app` has no SDK"],
        )
        .hold();
}
