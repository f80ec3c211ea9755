# Nothing but values, so that it can be evaluated without a provider.
locals {
  condition = var.external_id == "" ? null : { Condition = { StringEquals = { "sts:ExternalId" = var.external_id } } }

  assume = merge({
    Sid       = "Assume"
    Effect    = "Allow"
    Principal = { AWS = var.hub_role_arn }
    Action    = "sts:AssumeRole"
  }, local.condition)

  attribute = {
    Sid       = "Attribute"
    Effect    = "Allow"
    Principal = { AWS = var.hub_role_arn }
    Action    = ["sts:TagSession", "sts:SetSourceIdentity"]
  }

  trust = jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.assume], var.full_attribution ? [local.attribute] : [])
  })

  managed_policies = concat(["SecurityAudit"], var.inspector ? ["AmazonInspector2ReadOnlyAccess"] : [])
}
