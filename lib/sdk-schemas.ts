/** Files of the AWS SDK that describe what its operations take and give, a list each. */
export const schemaFiles = /[\\/]@aws-sdk[\\/]client-[^\\/]+[\\/]dist-es[\\/]schemas[\\/]schemas_\d+\.js$/;

/**
 * Lets a bundler leave out the schemas of operations that are not used: their lists have computed keys, which it takes for
 * side effects. Wrapped into a call that is marked as free of them, they mean the same. What is not written as expected
 * stays as it is.
 */
export function markSchemas(source: string): string {
  return source.replace(
    /^((?:export )?(?:var|const) [\w$]+) = (\[[\s\S]*?\]);$/gm,
    (_, declaration: string, list: string) => `${declaration} = /* @__PURE__ */ (() => ${list})();`,
  );
}

/** Errors of managing DynamoDB's tables, backups and copies of tables: no operation on rows answers with one of them. */
const tableErrors =
  /^n0_registry\.registerError\((?:(?:Backup|ContinuousBackups|Export|GlobalTable|Import|PointInTimeRecovery|Table|Replica(?:AlreadyExists|NotFound))\w+|Invalid(?:Export|Restore)Time\w+)\$, \w+\);$/gm;

/** Lets a bundler leave out errors that can't come. One that came all the same would be the client's general one, by its own name. */
export function dropErrors(source: string): string {
  return source.replace(tableErrors, '');
}
