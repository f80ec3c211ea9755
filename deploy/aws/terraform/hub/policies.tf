# Nothing but values, so that it can be evaluated without a provider.
locals {
  by_ec2 = var.ec2 ? [{
    Sid       = "Ec2"
    Effect    = "Allow"
    Principal = { Service = "ec2.amazonaws.com" }
    Action    = "sts:AssumeRole"
  }] : []

  by_pod_identity = var.pod_identity ? [{
    Sid       = "PodIdentity"
    Effect    = "Allow"
    Principal = { Service = "pods.eks.amazonaws.com" }
    Action    = ["sts:AssumeRole", "sts:TagSession"]
  }] : []

  by_web_identity = var.oidc_provider_arn == "" ? [] : [{
    Sid       = "WebIdentity"
    Effect    = "Allow"
    Principal = { Federated = var.oidc_provider_arn }
    Action    = "sts:AssumeRoleWithWebIdentity"
    Condition = {
      StringEquals = {
        "${var.oidc_provider_host}:sub" = "system:serviceaccount:${var.service_account}"
        "${var.oidc_provider_host}:aud" = "sts.amazonaws.com"
      }
    }
  }]

  trust = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.by_ec2, local.by_pod_identity, local.by_web_identity)
  })

  enter = [{
    Sid      = "EnterSpokes"
    Effect   = "Allow"
    Action   = concat(["sts:AssumeRole"], var.full_attribution ? ["sts:TagSession", "sts:SetSourceIdentity"] : [])
    Resource = "arn:${local.partition}:iam::*:role/${var.spoke_role_name}"
  }]

  regions = [{
    Sid      = "Regions"
    Effect   = "Allow"
    Action   = "ec2:DescribeRegions"
    Resource = "*"
  }]

  organization = var.list_organization ? [{
    Sid    = "Organization"
    Effect = "Allow"
    Action = [
      "organizations:DescribeAccount",
      "organizations:ListAccounts",
      "organizations:ListAccountsForParent",
      "organizations:ListOrganizationalUnitsForParent",
      "organizations:ListParents",
    ]
    Resource = "*"
  }] : []

  permissions = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.enter, local.regions, local.organization)
  })
}
