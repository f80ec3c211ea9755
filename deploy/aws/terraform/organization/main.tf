# The spoke's role in every account of an organization, as a StackSet of the template beside this module. AWS leaves the
# management account out: give it the `spoke` module.
resource "aws_cloudformation_stack_set" "spokes" {
  name             = "groma-spokes"
  description      = "Read-only role for Groma in every account"
  permission_model = "SERVICE_MANAGED"
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  template_body    = file("${path.module}/../../cloudformation/spoke.yaml")

  parameters = {
    HubRoleArn = var.hub_role_arn
    ExternalId = var.external_id
  }

  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = false
  }

  lifecycle {
    # AWS fills it in where it is service-managed.
    ignore_changes = [administration_role_arn]
  }
}

resource "aws_cloudformation_stack_set_instance" "spokes" {
  stack_set_name = aws_cloudformation_stack_set.spokes.name
  region         = var.region

  deployment_targets {
    organizational_unit_ids = var.organizational_unit_ids
  }
}
