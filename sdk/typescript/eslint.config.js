import js from "@eslint/js"
import tseslint from "typescript-eslint"

export default tseslint.config(
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  {
    // Every leaf of the API has the type that its caller wants.
    files: ["src/base.ts"],
    rules: { "@typescript-eslint/no-unnecessary-type-parameters": "off" },
  },
  { ignores: ["dist", "eslint.config.js", "tests"] },
)
