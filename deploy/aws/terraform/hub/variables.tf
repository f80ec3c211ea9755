variable "role_name" {
  description = "Name of the role that the broker runs as."
  type        = string
  default     = "cartography-service"
}

variable "spoke_role_name" {
  description = "Name of the role in every account."
  type        = string
  default     = "cartography-read-only"
}

variable "ec2" {
  description = "Whether an EC2 instance may be the broker; makes an instance profile of the same name."
  type        = bool
  default     = false
}

variable "pod_identity" {
  description = "Whether EKS Pod Identity may give the role to the broker's service account."
  type        = bool
  default     = false
}

variable "oidc_provider_arn" {
  description = "OIDC provider of an EKS cluster for a service account with web identity (IRSA); empty for none."
  type        = string
  default     = ""
}

variable "oidc_provider_host" {
  description = "Issuer of that provider without https://, such as oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF."
  type        = string
  default     = ""
}

variable "service_account" {
  description = "The broker's service account, NAMESPACE:NAME."
  type        = string
  default     = "groma:groma-broker"
}

variable "full_attribution" {
  description = "Whether the broker may tag its sessions and give them a source identity."
  type        = bool
  default     = true
}

variable "list_organization" {
  description = "Whether the broker may list the organization's accounts, for --accounts organization."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the role."
  type        = map(string)
  default     = {}
}
