variable "hub_role_arn" {
  description = "ARN of the hub's role, which alone may assume this one. It has to exist already."
  type        = string
}

variable "role_name" {
  description = "Name of the role; the broker looks for this one unless --role says otherwise."
  type        = string
  default     = "cartography-read-only"
}

variable "external_id" {
  description = "External id that the hub has to present; empty for none."
  type        = string
  default     = ""
}

variable "inspector" {
  description = "Whether findings of Amazon Inspector may be read."
  type        = bool
  default     = true
}

variable "full_attribution" {
  description = "Whether sessions may carry tags and a source identity, so that CloudTrail tells which sync and collector it was."
  type        = bool
  default     = true
}

variable "max_session_seconds" {
  description = "Longest session; AWS allows no more than an hour to a role that is assumed by another one."
  type        = number
  default     = 3600
}

variable "tags" {
  description = "Tags of the role."
  type        = map(string)
  default     = {}
}
