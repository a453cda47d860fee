// TypeScript from structural schemas. A schema with a `title` becomes a type of that name, shared by every kind
// that uses it and refused when two uses differ; other objects are named by their path. Types describe objects as
// the API server returns them: a property with a default is always there.

const withoutComments = (text) => text.replaceAll(/^ *\/\*\*.*\*\/\n/gm, '');

export class Types {
  #declarations = new Map();

  add(name, declaration) {
    const known = this.#declarations.get(name);
    if (known !== undefined && withoutComments(known) !== withoutComments(declaration)) {
      throw new Error(`two schemas titled ${name} differ:\n${known}\n${declaration}`);
    }
    // Of two equal uses the one that says more about its fields is kept.
    if (known === undefined || declaration.length > known.length) this.#declarations.set(name, declaration);
    return name;
  }

  text() {
    return [...this.#declarations.values()].join('\n');
  }

  comment(description, indent = '') {
    return description ? `${indent}/** ${description.trim()} */\n` : '';
  }

  /** The type of `schema`; `path` names it when it needs a name and has no title. */
  of(path, schema) {
    if (schema.enum) {
      const union = schema.enum.map((value) => `'${value}'`).join(' | ');
      return schema.title ? this.add(schema.title, `export type ${schema.title} = ${union};\n`) : union;
    }
    switch (schema.type) {
      case 'string':
        return 'string';
      case 'integer':
      case 'number':
        return 'number';
      case 'boolean':
        return 'boolean';
      case 'array': {
        const item = this.of(`${path}Item`, schema.items);
        return item.includes('|') ? `(${item})[]` : `${item}[]`;
      }
      case 'object':
        if (schema.additionalProperties)
          return `Record<string, ${this.of(path, schema.additionalProperties)}>`;
        if (!schema.properties) return 'Record<string, unknown>';
        return this.object(schema.title ?? path, schema);
      default:
        throw new Error(`${path}: no TypeScript for a schema of type ${schema.type}`);
    }
  }

  object(name, schema) {
    const required = new Set(schema.required ?? []);
    const properties = Object.entries(schema.properties).map(([key, property]) => {
      const optional = required.has(key) || property.default !== undefined ? '' : '?';
      const type = this.of(`${name}${key[0].toUpperCase()}${key.slice(1)}`, property);
      return `${this.comment(property.description, '  ')}  ${key}${optional}: ${type};\n`;
    });
    return this.add(name, `export interface ${name} {\n${properties.join('')}}\n`);
  }
}
