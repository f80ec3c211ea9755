variable "hub_role_arn" {
  description = "ARN of the hub's role, which alone may assume the spokes'. It has to exist already."
  type        = string
}

variable "organizational_unit_ids" {
  description = "Units (or the root) whose accounts get the role, those that join later included."
  type        = list(string)
}

variable "region" {
  description = "Region of the stacks; IAM itself has none."
  type        = string
  default     = "us-east-1"
}

variable "external_id" {
  description = "External id that the hub has to present; empty for none."
  type        = string
  default     = ""
}
