# The role that Groma's broker runs as: it may enter the spokes and ask which regions there are, and nothing else.
data "aws_partition" "current" {}

locals {
  partition = data.aws_partition.current.partition
}

resource "aws_iam_role" "hub" {
  name               = var.role_name
  description        = "Broker of Groma"
  assume_role_policy = local.trust
  tags               = var.tags
}

resource "aws_iam_role_policy" "hub" {
  name   = "enter-spokes"
  role   = aws_iam_role.hub.id
  policy = local.permissions
}

resource "aws_iam_instance_profile" "hub" {
  count = var.ec2 ? 1 : 0
  name  = var.role_name
  role  = aws_iam_role.hub.name
}

output "role_arn" {
  description = "For hub_role_arn of the spokes, and for the annotation of the broker's service account."
  value       = aws_iam_role.hub.arn
}
