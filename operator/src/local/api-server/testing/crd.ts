/** A definition with one of everything that the server has to enforce; for tests. */
export const WIDGET_CRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.test.example.com }
spec:
  group: test.example.com
  scope: Namespaced
  names: { kind: Widget, plural: widgets, singular: widget, shortNames: [wd], categories: [things] }
  versions:
    - name: v1
      served: true
      storage: true
      subresources: { status: {} }
      selectableFields: [{ jsonPath: .spec.color }]
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          x-kubernetes-validations:
            - rule: self.metadata.name.startsWith('w')
              message: the name must begin with w
          properties:
            spec:
              type: object
              required: [size]
              x-kubernetes-validations:
                - rule: "!has(self.low) || !has(self.high) || quantity(self.low).compareTo(quantity(self.high)) <= 0"
                  message: low must be at most high
                  messageExpression: "'low ' + self.low + ' is above high ' + self.high"
                  fieldPath: .low
                - rule: oldSelf.hasValue() || self.size < 100
                  optionalOldSelf: true
                  message: a new widget must be smaller than 100
              properties:
                size: { type: integer, minimum: 1, maximum: 1000 }
                color: { type: string, enum: [red, green], default: red }
                owner:
                  type: string
                  maxLength: 8
                  x-kubernetes-validations:
                    - { rule: self == oldSelf, message: owner cannot change, reason: FieldValueForbidden }
                low: { type: string, pattern: '^[0-9.]+$' }
                high: { type: string, pattern: '^[0-9.]+$' }
                ratio: { type: number, multipleOf: 0.5 }
                port: { x-kubernetes-int-or-string: true }
                tags: { type: array, maxItems: 3, x-kubernetes-list-type: set, items: { type: string } }
                parts:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [name]
                  items:
                    type: object
                    required: [name]
                    x-kubernetes-validations:
                      - rule: self.count >= oldSelf.count
                        message: count cannot fall
                    properties:
                      name: { type: string }
                      count: { type: integer, default: 0 }
                limits: { type: object, additionalProperties: { type: integer, minimum: 0 } }
                free: { type: object, x-kubernetes-preserve-unknown-fields: true }
                nothing: { type: string, nullable: true }
            status:
              type: object
              properties:
                phase: { type: string, enum: [Up, Down] }
`;
